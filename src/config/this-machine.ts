/** What the thread plan depends on, as found here. */
import { availableParallelism } from 'node:os';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { Machine } from './thread-plan.ts';

export function thisMachine({ graphs }: ModelDirectory): Machine {
  const weightBytes = [graphs.vision, graphs.embed, graphs.decoder]
    .flatMap((graph) => Object.values(graph?.signature.initializerBytes ?? {}))
    .reduce((sum, bytes) => sum + bytes, 0);
  return { cores: availableParallelism(), weightBytes };
}
