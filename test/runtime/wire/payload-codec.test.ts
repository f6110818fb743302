import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import { decodePayload, encodePayload, SEND, type Sendable } from '../../../runtime/wire/payload-codec.ts';

/** Travels as its name. */
const sendable = (name: string): Sendable => ({ [SEND]: () => ({ wire: name, transfer: [] }) });

describe('a payload with something in it that knows how to travel', () => {
  const travelled = (payload: unknown): unknown => {
    const [over, other] = MessagePortTransport.pair();
    const encoded = encodePayload(payload, over);
    over.close();
    other.close();
    assert(encoded.rich);
    return decodePayload(structuredClone(encoded.payload), (wire) => `revived ${wire}`);
  };

  it('is searched to its depth', () => {
    const payload = { to: sendable('a'), all: [{ to: sendable('b') }], n: 1 };
    assert.deepEqual(travelled(payload), { to: 'revived a', all: [{ to: 'revived b' }], n: 1 });
  });

  it('is searched also when it was made in another realm, as a program in Jest makes it', () => {
    const realm = createContext({ a: sendable('a'), b: sendable('b') });
    const payload = runInContext('({ to: a, all: [{ to: b }], n: 1 })', realm);
    assert.deepEqual(travelled(payload), { to: 'revived a', all: [{ to: 'revived b' }], n: 1 });
  });

  it('is revived also when it arrives in another realm than the one that revives it', () => {
    const arrived = runInContext('({ to: { $troupe: "a" } })', createContext({}));
    assert.equal(Reflect.get(Object(decodePayload(arrived, (wire) => `revived ${wire}`)), 'to'), 'revived a');
  });
});
