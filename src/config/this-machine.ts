/** What the thread plan depends on, as found here. */
import { availableParallelism } from 'node:os';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { Machine } from './thread-plan.ts';
import { weightsOf } from './weight-sharing.ts';

export function thisMachine({ graphs }: Pick<ModelDirectory, 'graphs'>): Machine {
  const files = [graphs.vision, graphs.embed, graphs.decoder].filter((graph) => graph !== undefined);
  return {
    // Affinity, and the quota of a control group, count; a quota that is no whole number is rounded by libuv.
    cores: availableParallelism(),
    weightBytes: files.reduce((sum, file) => sum + weightsOf(file), 0),
  };
}
