import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ExitGate } from '../../../runtime/thread/exit-gate.ts';

const LONG_MS = 60_000;

describe('an exit gate', () => {
  it('lets work through while it is open', async () => {
    assert.equal(await ExitGate.create().pass(async () => 'done'), 'done');
  });

  it('begins no work while it is closed, and begins it when it is opened again', async () => {
    const gate = ExitGate.create();
    const mine = ExitGate.attach(gate.handle());
    gate.close();
    let begun = false;
    const passed = mine.pass(async () => {
      begun = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(begun, false);
    assert(gate.emptied(0), 'who waits before the gate is not inside');
    gate.open();
    await passed;
    assert(begun);
  });

  it('is empty again after work that fails', async () => {
    const gate = ExitGate.create();
    await assert.rejects(
      gate.pass(async () => {
        assert.equal(gate.emptied(0), false);
        throw new RangeError('failed inside');
      }),
      RangeError,
    );
    assert(gate.emptied(0));
  });

  it('makes the one that ends the process wait for the thread that is inside', async () => {
    const gate = ExitGate.create();
    const cells = new Int32Array(new SharedArrayBuffer(8));
    const workerData = { gate: gate.handle(), cells };
    const worker = new Worker(new URL('./workers/inside.ts', import.meta.url), { workerData });
    await Atomics.waitAsync(cells, 0, 0).value;
    gate.close();
    assert(gate.emptied(LONG_MS));
    assert.equal(Atomics.load(cells, 1), 1, 'the work inside was done');
    await new Promise((resolve) => worker.once('exit', resolve));
  });
});
