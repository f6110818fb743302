import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StreamWriter } from '../../runtime/stream/stream-writer.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';

it('a stream that was handed over cannot be handed over again', () => {
  const [over, port] = InProcessTransport.pair();
  const writtenBy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const token = { port, credits: 1, byteCredits: 1, interrupted: undefined, writtenBy };
  const writer = new StreamWriter<number, number>(token);
  writer.move(over, 2);
  assert.throws(() => writer.move(over, 2), { code: 'PROTOCOL_VIOLATION', message: /handed over already/ });
});
