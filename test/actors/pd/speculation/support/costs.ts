/** Costs that do not depend on the machine. */
import type { Costs } from '../../../../../actors/pd/speculation/run-costs.ts';

/** A run costs next to nothing. */
export const ALWAYS_PAYS: Costs = {
  decode: (rows) => rows,
  run: () => 0.001,
  noteDecode: () => undefined,
  noteRun: () => undefined,
};
