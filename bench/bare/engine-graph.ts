/** The decoder graph that the engine runs for a model. */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { BareGraph } from './bare-session.ts';

export function engineGraphOf({ graphs }: ModelDirectory): BareGraph {
  return graphs.decoder;
}
