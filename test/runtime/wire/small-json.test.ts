import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { smallJson } from '../../../runtime/wire/small-json.ts';

class Point {
  x = 1;
}
const shared = { n: 1 };
const circular: Record<string, unknown> = {};
circular.self = circular;

const TAKEN: readonly unknown[] = [
  null,
  true,
  0,
  1.5,
  '',
  'Grüße \u{1F389} \ud800',
  [],
  {},
  { a: [1, 'x', null], b: { c: false } },
  JSON.parse('{"__proto__": {"x": 1}, "$troupe": 1}'),
];

class Tagged extends Array<number> {
  toJSON(): string {
    return 'tagged';
  }
}

const LEFT: readonly (readonly [what: string, value: unknown])[] = [
  ['undefined in it', { a: undefined }],
  ['undefined in a list', [undefined]],
  ['NaN', Number.NaN],
  ['minus zero', { z: -0 }],
  ['Infinity', [Number.POSITIVE_INFINITY]],
  ['a bigint', 1n],
  ['a function', { f() {} }],
  ['a symbol', Symbol('s')],
  ['an object of a class', new Point()],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['bytes', new Uint8Array(2)],
  ['an error', new Error('x')],
  ['the same object twice', [shared, shared]],
  ['a cycle', circular],
  ['a list with holes', new Array(3)],
  ['a list with a field', Object.assign([1], { extra: 1 })],
  ['a proxy', new Proxy({}, {})],
  ['something with toJSON', { toJSON: () => 1 }],
  ['a hidden toJSON', Object.defineProperty({ a: 1 }, 'toJSON', { value: () => undefined })],
  ['a list whose class has toJSON', Tagged.from([1, 2])],
  [
    'a getter that throws',
    {
      get x() {
        throw new Error('no');
      },
    },
  ],
  ['a long text', 'x'.repeat(3_000)],
  ['many values', Array.from({ length: 100 }, () => 1)],
];

describe('small JSON', () => {
  for (const value of TAKEN) {
    it(`gives back what a clone gives: ${JSON.stringify(value)}`, () => {
      assert.deepEqual(JSON.parse(smallJson(value)?.text ?? ''), structuredClone(value));
    });
  }

  it('is no text for undefined', () => assert.deepEqual(smallJson(undefined), { text: '', bytes: 0 }));

  for (const [what, value] of LEFT) {
    it(`leaves to the clone: ${what}`, () => assert.equal(smallJson(value), undefined));
  }
});
