/** Adds to a plain number in shared memory, `rounds` times, each under the lock. */
import { workerData } from 'node:worker_threads';
import { SharedLock } from '../../../../runtime/tensors/shared-lock.ts';

export interface CounterTask {
  /** int32 0: the lock, 1: the number. */
  readonly memory: SharedArrayBuffer;
  readonly rounds: number;
}

const { memory, rounds }: CounterTask = workerData;
const cells = new Int32Array(memory);
const lock = new SharedLock(cells, 0);
for (let round = 0; round < rounds; round++) {
  lock.lock();
  cells[1] = (cells[1] ?? 0) + 1;
  lock.unlock();
}
