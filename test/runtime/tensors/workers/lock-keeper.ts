/** Takes an arena's lock, says so, and never gives it back. */
import { workerData } from 'node:worker_threads';
import { type ArenaHandle, LOCK } from '../../../../runtime/tensors/arena-layout.ts';
import { SharedLock } from '../../../../runtime/tensors/shared-lock.ts';

export interface LockKeeperTask {
  readonly handle: ArenaHandle;
  /** One int32: set to 1 and notified when the lock is taken. */
  readonly flag: SharedArrayBuffer;
}

const { handle, flag }: LockKeeperTask = workerData;
new SharedLock(new Int32Array(handle.tables), LOCK).lock();
const cells = new Int32Array(flag);
Atomics.store(cells, 0, 1);
Atomics.notify(cells, 0);
Atomics.wait(cells, 0, 1);
