import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { flushAll } from '../../../runtime/transport/departures.ts';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import { decodePayload, encodePayload, SEND, type Sendable } from '../../../runtime/wire/payload-codec.ts';
import { type SmallJson, smallJson } from '../../../runtime/wire/small-json.ts';
import {
  askText,
  CREDIT_TEXT,
  chunkText,
  endText,
  listOf,
  priorityText,
  replyText,
  TextReader,
  tellText,
  tracedText,
} from '../../../runtime/wire/text-codec.ts';
import { CHECKED } from '../support/checked.ts';

const anything = fc.anything({
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withBigInt: true,
  withSparseArray: true,
  withNullPrototype: true,
  maxDepth: 4,
});

/** A clone by the platform, or undefined when it refuses. */
function cloned(value: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: structuredClone(value) };
  } catch {
    return undefined;
  }
}

describe('small JSON', () => {
  it('is only made of what comes out of it as out of a clone', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const text = smallJson(value)?.text;
        if (text === undefined || text === '') return;
        assert.deepStrictEqual(JSON.parse(text), structuredClone(value));
      }),
      CHECKED,
    );
  });

  it('is made of small values that JSON can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(text.length < 200);
        fc.pre(cloned(value) !== undefined && !holdsMinusZero(value));
        assert.equal(smallJson(value)?.text, text);
      }),
      CHECKED,
    );
  });
});

function holdsMinusZero(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0);
  return Object.values(value).some(holdsMinusZero);
}

describe('the text form of a message', () => {
  const fields = fc.record({
    method: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '"', '\\', '\u2028')),
    id: fc.nat(),
    value: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
  });

  it('says what was said, of every kind, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 6 }), (several) => {
        const said = several.flatMap(({ method, id, value }) => {
          const json = smallJson(value);
          return json === undefined ? [] : messagesOf(method, id, value, json);
        });
        const reader = new TextReader(listOf(said.map(([text]) => text).join(',')));
        for (const [, message] of said) assert.deepStrictEqual(reader.next(), message);
        assert.equal(reader.next(), undefined);
      }),
      CHECKED,
    );
  });
});

function messagesOf(method: string, id: number, value: unknown, json: SmallJson) {
  const { bytes } = json;
  const data = { method, bytes, payload: value, traceparent: undefined, priority: undefined };
  return [
    [tellText(method, bytes, json), { t: 'tell', ...data }],
    [askText(method, bytes, id, json), { t: 'ask', id, ...data }],
    [
      tracedText('00-a-b-01', askText(method, bytes, id, json)),
      { t: 'ask', id, ...data, traceparent: '00-a-b-01' },
    ],
    [priorityText('low', tellText(method, bytes, json)), { t: 'tell', ...data, priority: 'low' }],
    [
      priorityText('high', tracedText('00-a-b-01', askText(method, bytes, id, json))),
      { t: 'ask', id, ...data, traceparent: '00-a-b-01', priority: 'high' },
    ],
    [replyText(id, json), { t: 'reply', id, value }],
    [chunkText(json), { t: 'chunk', bytes, value }],
    [endText(json), { t: 'end', value }],
    [CREDIT_TEXT, { t: 'credit' }],
  ] as const;
}

type Step =
  | { readonly kind: 'text'; readonly value: unknown; readonly urgent: boolean }
  | { readonly kind: 'clone'; readonly value: unknown }
  | { readonly kind: 'bad' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'read' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    value: fc.jsonValue({ maxDepth: 2 }),
    urgent: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('clone' as const),
    value: anything.filter((value) => cloned(value) !== undefined),
  }),
  fc.record({ kind: fc.constant('bad' as const) }),
  fc.record({ kind: fc.constant('flush' as const) }),
  fc.record({ kind: fc.constant('read' as const) }),
);

describe('the transport between threads', () => {
  it('delivers whatever is posted, in whatever way, once and in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const [near, far] = MessagePortTransport.pair();
        const got: unknown[] = [];
        const sent: unknown[] = [];
        far.listen({ onMessage: (message) => got.push('value' in message && message.value), onClose() {} });
        for (const { kind, ...rest } of steps) {
          const value = 'value' in rest ? rest.value : undefined;
          if (kind === 'text') {
            const json = smallJson(value);
            if (json === undefined) continue;
            near.postText(replyText(sent.length, json), 'urgent' in rest && rest.urgent);
            sent.push(value);
          } else if (kind === 'clone') {
            near.post({ t: 'reply', id: sent.length, value });
            sent.push(structuredClone(value));
          } else if (kind === 'bad') assert.throws(() => near.post({ t: 'reply', id: 0, value: () => {} }));
          else if (kind === 'flush') flushAll();
          else {
            far.drain();
            assert.deepStrictEqual(got, sent.slice(0, got.length));
          }
        }
        flushAll();
        far.drain();
        near.close();
        far.close();
        assert.deepStrictEqual(got, sent);
      }),
      CHECKED,
    );
  });
});

describe('a payload with refs in it', () => {
  const sendable: Sendable = { [SEND]: () => ({ wire: 'r', transfer: [] }) };
  const holding = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant(sendable),
      fc.integer(),
      fc.string(),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 3 }), tie('node'), { maxKeys: 3 }),
      fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(tie('node'), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  })).node;

  it('arrives as a clone of it would, with a ref of the receiver in each place', () => {
    fc.assert(
      fc.property(holding, (payload) => {
        const [over, other] = MessagePortTransport.pair();
        const { payload: encoded, travellers } = encodePayload(payload, over);
        over.close();
        other.close();
        const arrived = structuredClone({ encoded, travellers });
        const revived = decodePayload(arrived.encoded, arrived.travellers, () => 'a ref');
        assert.deepStrictEqual(revived, expected(payload));
      }),
      CHECKED,
    );
  });

  /** By plain recursion: what the codec may not use. */
  function expected(value: unknown): unknown {
    if (value === sendable) return 'a ref';
    if (Array.isArray(value)) return value.map(expected);
    if (value instanceof Map)
      return new Map([...value].map(([key, item]) => [expected(key), expected(item)]));
    if (value instanceof Set) return new Set([...value].map(expected));
    if (typeof value !== 'object' || value === null) return value;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value))
      Object.defineProperty(copy, key, {
        value: expected(item),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    return copy;
  }
});
