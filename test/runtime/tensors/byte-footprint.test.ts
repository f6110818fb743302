import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import { footprint } from '../../../runtime/tensors/byte-footprint.ts';

test('numbers, booleans and nothing at all weigh nothing', () => {
  assert.deepEqual(footprint(undefined), { moved: 0, copied: 0 });
  assert.deepEqual(footprint({ a: 1, b: true, c: null, d: 1n, e: Symbol.iterator }), { moved: 0, copied: 0 });
});

test('strings are copied, wherever they lie', () => {
  assert.deepEqual(footprint({ a: 'four', b: ['five5', { c: 'six666' }] }), { moved: 0, copied: 15 });
  assert.deepEqual(footprint(new Map([['key', new Set(['value'])]])), { moved: 0, copied: 8 });
});

test('a shared tensor moves', () => {
  const tensor = SharedArena.create({ name: 'a', bytes: 4096 }).tryAllocate('float32', [10], 1);
  assert.deepEqual(footprint({ tensor, list: [tensor] }), { moved: 80, copied: 0 });
});

test('a view of shared memory moves', () => {
  const view = new Uint8Array(new SharedArrayBuffer(64), 0, 16);
  assert.deepEqual(footprint({ view }), { moved: 16, copied: 0 });
});

test('a buffer in the transfer list moves, as does its view; another is copied', () => {
  const moved = new ArrayBuffer(100);
  const copied = new ArrayBuffer(7);
  assert.deepEqual(footprint([moved, { copied }], [moved]), { moved: 100, copied: 7 });
  assert.deepEqual(footprint({ view: new Uint8Array(moved) }, [moved]), { moved: 100, copied: 0 });
});

test('a view makes the clone carry its whole buffer, once', () => {
  const buffer = new ArrayBuffer(1000);
  assert.equal(structuredClone(new Uint8Array(buffer, 0, 8)).buffer.byteLength, 1000);
  const views = { a: new Uint8Array(buffer, 0, 8), b: new DataView(buffer, 8, 8) };
  assert.deepEqual(footprint(views), { moved: 0, copied: 1000 });
});

test('a short list that begins with a number may hold a buffer', () => {
  assert.deepEqual(footprint([1, new ArrayBuffer(1000)]), { moved: 0, copied: 1016 });
});

test('an array of numbers is measured, not walked', () => {
  const numbers = [1, 2, 3];
  Object.defineProperty(numbers, 1, { get: () => assert.fail('walked') });
  assert.deepEqual(footprint(numbers), { moved: 0, copied: 24 });
});

test('a cycle ends', () => {
  const node: { text: string; self?: object; again?: object } = { text: 'x' };
  node.self = node;
  node.again = node;
  assert.ok(footprint(node).copied < 100);
});

test('a payload that cannot be read is counted as far as it can', () => {
  const payload = {
    text: 'abc',
    get broken(): string {
      throw new Error('no');
    },
  };
  assert.deepEqual(footprint(payload), { moved: 0, copied: 3 });
});
