import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import type { Port } from '../../../runtime/transport/port.ts';
import {
  decodePayload,
  encodePayload,
  postEncoded,
  SEND,
  type Sendable,
  snapshot,
} from '../../../runtime/wire/payload-codec.ts';

/** Travels as its name. */
const sendable = (name: string): Sendable & { name: string } => ({
  name,
  [SEND]: () => ({ wire: name, transfer: [] }),
});

class Holder {
  to: unknown;
  constructor(to: unknown) {
    this.to = to;
  }
}

function overPort(
  ends: readonly [Port, Port],
  payload: unknown,
  clone: (value: unknown) => unknown,
): unknown {
  const [over, other] = ends;
  const { payload: encoded, travellers } = encodePayload(payload, over);
  over.close();
  other.close();
  assert(travellers !== undefined);
  // One clone of both, as one message is.
  const arrived = clone({ encoded, travellers }) as { encoded: unknown; travellers: typeof travellers };
  return decodePayload(arrived.encoded, arrived.travellers, (wire) => `revived ${wire}`);
}

const travelled = (payload: unknown): unknown =>
  overPort(MessagePortTransport.pair(), payload, (value) => structuredClone(value));

const field = (value: unknown, key: PropertyKey): unknown => Reflect.get(Object(value), key);

describe('a payload with something in it that knows how to travel', () => {
  const to = sendable('a');
  const CASES: readonly (readonly [where: string, payload: unknown, expected: unknown])[] = [
    ['the payload itself', to, 'revived a'],
    ['a field', { to, n: 1 }, { to: 'revived a', n: 1 }],
    ['a list', [to], ['revived a']],
    ['a list that begins with a text', ['label', to], ['label', 'revived a']],
    ['a list that begins with a number', [1, to], [1, 'revived a']],
    ['a list that begins with nothing', [null, undefined, to], [null, undefined, 'revived a']],
    ['values of a map', new Map([['k', to]]), new Map([['k', 'revived a']])],
    ['keys of a map', new Map([[to, 1]]), new Map([['revived a', 1]])],
    ['a set', new Set([1, to]), new Set([1, 'revived a'])],
    ['a field of an object of a class', new Holder(to), { to: 'revived a' }],
    [
      'the depth of it all',
      { all: [{ map: new Map([[1, new Set([to])]]) }] },
      { all: [{ map: new Map([[1, new Set(['revived a'])]]) }] },
    ],
    ['several places', { one: to, two: [to] }, { one: 'revived a', two: ['revived a'] }],
    [
      'beside data like the wire form',
      { to, d: { $troupe: { name: 'x' } } },
      { to: 'revived a', d: { $troupe: { name: 'x' } } },
    ],
  ];
  for (const [where, payload, expected] of CASES) {
    it(`is found in ${where}`, () => assert.deepEqual(travelled(payload), expected));
    it(`is found in ${where} after a snapshot`, () =>
      assert.deepEqual(travelled(snapshot(payload, []).payload), expected));
  }

  it('is found in a cycle, which stays one', () => {
    const payload: Record<string, unknown> = { to };
    payload.self = payload;
    const arrived = travelled(payload);
    assert.equal(field(arrived, 'to'), 'revived a');
    assert.equal(field(arrived, 'self'), arrived);
  });

  it('costs no more when parts of the payload are shared, and they stay shared', () => {
    let payload: unknown = { to };
    for (let depth = 0; depth < 60; depth++) payload = { left: payload, right: payload };
    const arrived = travelled(payload);
    assert.equal(field(arrived, 'left'), field(arrived, 'right'));
  });

  it('is found at any depth that a clone can take', () => {
    let payload: unknown = { to };
    for (let depth = 0; depth < 500; depth++) payload = [payload];
    let arrived = travelled(payload);
    for (let depth = 0; depth < 500; depth++) arrived = field(arrived, 0);
    assert.deepEqual(arrived, { to: 'revived a' });
  });

  it('leaves the sender its payload as it was', () => {
    const payload = { to, all: [to] };
    travelled(payload);
    assert.deepEqual(payload, { to, all: [to] });
  });

  it('leaves objects of classes as they are where nothing is cloned', () => {
    const holder = new Holder(1);
    const arrived = overPort(InProcessTransport.pair(), { to, holder }, (value) => value);
    assert.deepEqual(arrived, { to: 'revived a', holder });
    assert.equal(field(arrived, 'holder'), holder);
  });

  it('leaves buffers, dates and errors to the clone', () => {
    const payload = { to, bytes: new Uint8Array([7]), at: new Date(5), why: new RangeError('far') };
    const arrived = travelled(payload);
    assert.deepEqual(field(arrived, 'bytes'), payload.bytes);
    assert.deepEqual(field(arrived, 'at'), payload.at);
    assert.deepEqual(field(field(arrived, 'why'), 'message'), 'far');
  });

  it('is found in an object of a class that has a tag', () => {
    class Labelled extends Holder {
      get [Symbol.toStringTag](): string {
        return 'Labelled';
      }
    }
    assert.deepEqual(travelled(new Labelled(to)), { to: 'revived a' });
  });

  it('leaves ports and blobs to the clone, also with a field of their own', () => {
    const [over, other] = MessagePortTransport.pair();
    const blob = Object.assign(new Blob(['a']), { label: 'mine' });
    const { payload } = encodePayload({ blob, to }, over);
    assert.equal(field(payload, 'blob'), blob);
    over.close();
    other.close();
  });

  it('is searched also when it was made in another realm, as a program in Jest makes it', () => {
    const realm = createContext({ a: sendable('a'), b: sendable('b') });
    const payload = runInContext('({ to: a, all: [{ to: b }], n: 1 })', realm);
    assert.deepEqual(travelled(payload), { to: 'revived a', all: [{ to: 'revived b' }], n: 1 });
  });
});

/** @returns objects in one another, so many */
function nested(depth: number): object {
  let inner = {};
  for (let i = 1; i < depth; i++) inner = { inner };
  return inner;
}

describe('a payload of a thread that may have more stack than its receiver', () => {
  const encode = (payload: unknown) => {
    const [over, other] = MessagePortTransport.pair();
    try {
      return encodePayload(payload, over);
    } finally {
      over.close();
      other.close();
    }
  };

  it('is sent when it is 1,000 deep', () => {
    assert.doesNotThrow(() => encode(nested(1_000)));
  });

  it('is refused when it is deeper', () => {
    assert.throws(() => encode(nested(1_001)), { name: 'RangeError', message: /more than 1000 deep/ });
  });

  it('is refused when the causes of an error in it are deeper', () => {
    let error = new Error('the first');
    for (let depth = 0; depth < 1_000; depth++) error = new Error('of it', { cause: error });
    assert.throws(() => encode({ error }), { name: 'RangeError', message: /more than 1000 deep/ });
    assert.doesNotThrow(() => encode(error.cause));
  });

  it('is refused when a clone goes deep though each object is in a list as well', () => {
    const all: object[] = [];
    for (let inner: object | undefined = nested(2_000); inner !== undefined; ) {
      all.push(inner);
      inner = 'inner' in inner ? (inner.inner as object) : undefined; // as `nested` made it
    }
    assert.throws(() => encode(all), { name: 'RangeError' });
    assert.doesNotThrow(() => encode(all.reverse()), 'each holds only what was read before');
  });

  it('may be as deep as it likes within a thread', () => {
    const [over, other] = InProcessTransport.pair();
    assert.doesNotThrow(() => encodePayload(nested(5_000), over));
    over.close();
    other.close();
  });
});

describe('a payload that is not posted after all', () => {
  it('leaves no port open that was made for a ref in it', async () => {
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port2.once('close', resolve));
    const [over, other] = MessagePortTransport.pair();
    const withPort: Sendable = { [SEND]: () => ({ wire: port1, transfer: [port1] }) };
    const post = () => postEncoded([withPort], over, () => assert.fail('not posted'));
    assert.throws(post, { message: 'not posted' });
    await closed;
    over.close();
    other.close();
  });
});

describe('a snapshot', () => {
  it('is what the payload was, whatever becomes of it', () => {
    const payload = { n: 1, list: [1] };
    const taken = snapshot(payload, []);
    payload.list.push(2);
    assert.deepEqual(taken.payload, { n: 1, list: [1] });
  });

  it('takes over what is to be moved, at once', () => {
    const buffer = new ArrayBuffer(8);
    const taken = snapshot({ buffer }, [buffer]);
    assert.equal(buffer.detached, true);
    assert.deepEqual(taken.transfer, [field(taken.payload, 'buffer')]);
  });
});
