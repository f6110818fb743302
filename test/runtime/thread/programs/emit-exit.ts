/** Emits `exit` as if the process ended, goes on, and writes whether an actor can still do its work. */
import { writeSync } from 'node:fs';
import { ActorSystem } from '../../../../runtime/index.ts';
import { DONE, ENDING, type Events, happen, nativeActor } from './native-protocol.ts';

const events: Events = new Int32Array(new SharedArrayBuffer(12));
const system = new ActorSystem();
const native = await system.spawn(nativeActor, undefined, { name: 'native' });
process.emit('exit', 0);
happen(events, ENDING);
native.tell('work', events);
await Atomics.waitAsync(events, DONE, 0).value;
await system.stop();
writeSync(1, 'done');
