import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SharedLock } from '../../../runtime/tensors/shared-lock.ts';
import type { CounterTask } from './workers/counter.ts';

test('no update is lost between three threads', async () => {
  const task: CounterTask = { memory: new SharedArrayBuffer(8), rounds: 30_000 };
  const workers = [1, 2, 3].map(
    () => new Worker(new URL('./workers/counter.ts', import.meta.url), { workerData: task }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  assert.deepEqual([...new Int32Array(task.memory)], [0, 90_000]);
});

test('a lock whose owner does not let go is an error that names the thread', () => {
  const cells = new Int32Array(new SharedArrayBuffer(4));
  cells[0] = (41 + 1) << 1;
  assert.throws(() => new SharedLock(cells, 0, 1).lock(), {
    code: 'LOCK_ABANDONED',
    retrySafe: true,
    details: { ownerThread: 41 },
  });
});

test('a lock is taken over from its dead owner, not from anybody else', () => {
  const cells = new Int32Array(new SharedArrayBuffer(4));
  cells[0] = (41 + 1) << 1;
  const lock = new SharedLock(cells, 0, 1);
  assert.equal(lock.takeOver(40), false);
  assert.equal(lock.takeOver(41), true);
  assert.throws(() => new SharedLock(cells, 0, 1).lock(), { code: 'LOCK_ABANDONED' });
  lock.unlock();
  lock.lock();
});
