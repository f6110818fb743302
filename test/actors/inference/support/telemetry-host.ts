/**
 * A program that turns telemetry off where it is told to, and prints what native code would read then. Argument: `main`,
 * `import`, `replaced` (another object is `process.env`), `worker`, `nested`, `blocked` (a worker for which the main thread
 * waits without answering), or `replaced-worker`.
 */
import { once } from 'node:events';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import type { Order } from './telemetry-worker.ts';

const WORKER = new URL('./telemetry-worker.ts', import.meta.url);
const ACTORS = new URL('../../../../actors/inference/', import.meta.url);

const where = process.argv[2];
let said = 'off';
if (where?.startsWith('replaced')) process.env = { ...process.env };
if (where === 'main' || where === 'replaced') await (await import(`${ACTORS}telemetry.ts`)).telemetryOff();
else if (where === 'import') await import(`${ACTORS}onnxruntime.ts`);
else if (where === 'blocked') {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const order: Order = { depth: 0, patienceMs: 1, done };
  new Worker(WORKER, { workerData: order, env: {} });
  Atomics.wait(done, 0, 0);
  said = Atomics.load(done, 0) === 1 ? 'off' : 'failed';
} else {
  const order: Order = { depth: where === 'nested' ? 1 : 0 };
  const [answer] = await once(new Worker(WORKER, { workerData: order, env: {} }), 'message');
  said = answer;
}
// What is set for the process itself, and not in a copy.
const report: { environmentVariables?: Record<string, string> } = process.report.getReport();
process.stdout.write(JSON.stringify({ said, value: report.environmentVariables?.ORT_DISABLE_TELEMETRY }));
