/** Turns telemetry off on a worker thread, and says how that went. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { telemetryOff } from '../../../../actors/inference/telemetry.ts';
import { TroupeError } from '../../../../runtime/errors.ts';

export interface Order {
  /** Threads between the main thread and the one that is to turn it off. */
  readonly depth: number;
  readonly patienceMs?: number;
  /** Written to when it is done: 1, or 2 if it failed. */
  readonly done?: Int32Array;
}

const { depth, patienceMs, done }: Order = workerData;
if (depth > 0) {
  const order: Order = { depth: depth - 1 };
  new Worker(new URL(import.meta.url), { workerData: order, env: {} })
    .on('message', (said) => parentPort?.postMessage(said))
    .on('error', (error) => parentPort?.postMessage(String(error)));
} else {
  const code = await telemetryOff(patienceMs).then(
    () => 'off',
    (error: unknown) => (TroupeError.is(error) ? error.code : String(error)),
  );
  parentPort?.postMessage(code);
  if (done !== undefined) {
    Atomics.store(done, 0, code === 'off' ? 1 : 2);
    Atomics.notify(done, 0);
  }
}
