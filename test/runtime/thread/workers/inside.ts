/** Says that it is inside a gate, and leaves once the gate was closed behind it. */
import { workerData } from 'node:worker_threads';
import { ExitGate, type ExitGateHandle } from '../../../../runtime/thread/exit-gate.ts';

const CLOSED = 1; // as `exit-gate.ts` lays it out
const { gate, cells } = workerData as { gate: ExitGateHandle; cells: Int32Array<SharedArrayBuffer> };
const gateCells = new Int32Array(gate);

await ExitGate.attach(gate).pass(async () => {
  Atomics.store(cells, 0, 1);
  Atomics.notify(cells, 0);
  while (Atomics.load(gateCells, CLOSED) === 0) {
    // It is closed by a thread that cannot do anything else then.
  }
  Atomics.store(cells, 1, 1);
});
