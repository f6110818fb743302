/** Allocates, marks, checks and releases tensors as fast as it can, a few of them alive at any time. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ArenaHandle, SharedArena } from '../../../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../../../runtime/tensors/shared-tensor.ts';

export interface HammerTask {
  readonly handle: ArenaHandle;
  readonly holder: number;
  readonly rounds: number;
}

const { handle, holder, rounds }: HammerTask = workerData;
const arena = SharedArena.attach(handle);
const live: { tensor: SharedTensor<'int32'>; mark: number }[] = [];
let seed = holder;
let corrupt = 0;

function releaseOldest(): void {
  const oldest = live.shift();
  if (oldest === undefined) return;
  if (!arena.view(oldest.tensor).every((cell) => cell === oldest.mark)) corrupt += 1;
  if (!arena.release(oldest.tensor, holder)) corrupt += 1;
}

for (let round = 0; round < rounds; round++) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  const tensor = arena.tryAllocate('int32', [1 + (seed % 2_000)], holder);
  if (tensor === undefined) {
    releaseOldest();
    continue;
  }
  const mark = Math.imul(holder, 1_000_003) + round;
  arena.view(tensor).fill(mark);
  live.push({ tensor, mark });
  if (live.length > 8) releaseOldest();
}
while (live.length > 0) releaseOldest();
parentPort?.postMessage(corrupt);
