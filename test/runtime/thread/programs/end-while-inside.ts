/** Ends while an actor is inside, in the way that it is told, and writes whether the actor's work was done first. */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { ActorSystem } from '../../../../runtime/index.ts';
import { DONE, ENDING, type Events, happen, INSIDE, nativeActor } from './native-protocol.ts';

const how = isMainThread ? process.argv[2] : workerData;

if (how === 'exit of a worker' && isMainThread) new Worker(new URL(import.meta.url), { workerData: how });
else await endWhileInside();

async function endWhileInside(): Promise<void> {
  const events: Events = new Int32Array(new SharedArrayBuffer(12));
  // Before the runtime's own listener, and after it.
  process.on('exit', () => happen(events, ENDING));
  const system = new ActorSystem();
  const native = await system.spawn(nativeActor, undefined, { name: 'native' });
  process.on('exit', () => writeSync(1, Atomics.load(events, DONE) === 1 ? 'done' : 'cut short'));
  native.tell('work', events);
  await Atomics.waitAsync(events, INSIDE, 0).value;
  if (how === 'error') throw new Error('nobody handles this');
  process.exit(0);
}
