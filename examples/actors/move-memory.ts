/**
 * 64 MB go to another thread and come back without being copied.
 *
 * Run it: node examples/actors/move-memory.ts
 */
import { ActorSystem } from '../../runtime/index.ts';
import { inverter } from './protocols.ts';

await using system = new ActorSystem();
const inverters = await system.spawn(inverter, undefined, { name: 'inverter' });

const pixels = new ArrayBuffer(64 * 1024 * 1024);
const inverted = await inverters.ask('invert', pixels, { transfer: [pixels] });
console.log(inverted.byteLength, 'bytes came back,', pixels.byteLength, 'are left here');
console.log(
  'inverted:',
  new Uint8Array(inverted).every((value) => value === 255),
);
