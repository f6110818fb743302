/** The decoder graph that the engine runs for a model: the rewritten one, where there is one. */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { BareGraph } from './bare-session.ts';

export function engineGraphOf({ graphs }: ModelDirectory): BareGraph {
  const { rewrite } = graphs.decoder;
  return rewrite?.rewritten ? rewrite : graphs.decoder;
}
