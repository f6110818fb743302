/**
 * Asks a shared cache for tensors as fast as it can, and counts those whose content is not what their key says. Says
 * when it begins to make one that it is told to stick at, and never ends that one.
 */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { type ArenaHandle, SharedArena } from '../../../../runtime/tensors/arena.ts';
import { SharedTensorCache, type TensorCacheHandle } from '../../../../runtime/tensors/tensor-cache.ts';

export interface CacheUserTask {
  readonly arena: ArenaHandle;
  readonly cache: TensorCacheHandle;
  readonly holder: number;
  readonly rounds: number;
  /** Contents are the numbers below this. */
  readonly contents: number;
  readonly stickAt?: number;
}

const task: CacheUserTask = workerData;
const arena = SharedArena.attach(task.arena);
const cache = SharedTensorCache.attach(task.cache, arena);
let seed = task.holder;
let wrong = 0;
let made = 0;

for (let round = 0; round < task.rounds; round++) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  const content = task.stickAt ?? seed % task.contents;
  const key = createHash('sha256').update(String(content)).digest('hex');
  const tensor = await cache.getOrMake(key, task.holder, async () => {
    if (content === task.stickAt) {
      parentPort?.postMessage('stuck');
      await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
    }
    made += 1;
    const mine = arena.tryAllocate('int32', [1 + (content % 5), 100], task.holder);
    if (mine === undefined) throw new Error('no room');
    arena.view(mine).fill(content);
    return mine;
  });
  const cells = new Int32Array(task.arena.data, tensor.byteOffset, tensor.byteLength / 4);
  if (!cells.every((cell) => cell === content)) wrong += 1;
  arena.release(tensor, task.holder);
}
parentPort?.postMessage({ wrong, made });
