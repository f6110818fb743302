import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as threads from 'node:worker_threads';
import { isProcessLocked, takeProcessLock } from '../../../runtime/thread/process-lock.ts';

const hasLocks = (threads.locks as unknown) !== undefined;

describe('a lock of the process', {
  skip: hasLocks ? false : 'this Node has no locks between threads',
}, () => {
  it('is had by one at a time', async () => {
    const unlock = await takeProcessLock('one', 0);
    assert(unlock !== undefined);
    assert.equal(await takeProcessLock('one', 10), undefined);
    unlock();
    const again = await takeProcessLock('one', 1000);
    assert(again !== undefined);
    again();
  });

  it('goes to who waits for it when it is given back', async () => {
    const unlock = await takeProcessLock('waited for', 0);
    const waiting = takeProcessLock('waited for', 60_000);
    unlock?.();
    const next = await waiting;
    assert(next !== undefined);
    next();
  });

  it('ends with the thread that has it', async () => {
    const worker = new threads.Worker(
      `require('node:worker_threads').locks.request('theirs', () => new Promise(() => {
         require('node:worker_threads').parentPort.postMessage('has it');
         setTimeout(() => {}, 60_000);
       }));`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    assert(await isProcessLocked('theirs'));
    await worker.terminate();
    const unlock = await takeProcessLock('theirs', 5_000);
    assert(unlock !== undefined);
    unlock();
  });
});
