import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReceivedBody } from '../../../../src/server/http/received-body.ts';

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

describe('a received body', () => {
  it('is what came, in the order in which it came', () => {
    const body = new ReceivedBody();
    const chunks = [bytes(3, 1), bytes(20_000, 2), bytes(1, 3), bytes(16_000, 4), bytes(16_000, 5)];
    for (const chunk of chunks) body.push(new Uint8Array(chunk));
    assert.equal(body.size, 52_004);
    assert.deepEqual(Buffer.concat(body.take()), Buffer.concat(chunks));
    assert.deepEqual(body.take(), []);
  });

  it('is in few pieces, however many it came in', () => {
    const body = new ReceivedBody();
    for (let i = 0; i < 100_000; i++) body.push(bytes(1, i));
    assert(body.take().length < 10);
  });

  it('has each piece in memory of its own, which can be handed over', () => {
    const body = new ReceivedBody();
    const shared = new Uint8Array(100_000);
    body.push(shared.subarray(10, 50_000));
    body.push(shared.subarray(50, 60));
    for (const piece of body.take()) assert.equal(piece.buffer.byteLength, piece.length);
    assert.equal(shared.buffer.byteLength, 100_000);
  });

  it('is gone when it is dropped', () => {
    const body = new ReceivedBody();
    const chunk = bytes(20_000, 1);
    body.push(chunk);
    body.drop();
    assert.deepEqual(body.take(), []);
    assert.equal(chunk.length, 0);
  });
});
