import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentHash } from '../../../actors/processor/content-hash.ts';

const pixels = Float32Array.from([0, 1, -1, 0.5]);
const hash = contentHash(pixels, [1, 4], {}, 'a');

test('equal content has equal hashes, in shared memory and at an offset too', () => {
  const shared = new Float32Array(new SharedArrayBuffer(32), 8, 4);
  shared.set(pixels);
  assert.equal(contentHash(shared, [1, 4], {}, 'a'), hash);
  assert.match(hash, /^[0-9a-f]{64}$/);
});

test('other pixels, another shape or another preprocessing give another hash', () => {
  assert.notEqual(contentHash(Float32Array.from([0, 1, -1, 0.25]), [1, 4], {}, 'a'), hash);
  assert.notEqual(contentHash(pixels, [2, 2], {}, 'a'), hash);
  assert.notEqual(contentHash(pixels, [1, 4], {}, 'b'), hash);
});

test('images of one colour that differ in their grid alone have other hashes', () => {
  const grid = (...values: number[]) => ({ image_grid_thw: { shape: [1, 3], values } });
  const hashOf = (inputs: ReturnType<typeof grid>) => contentHash(pixels, [4, 1], inputs, 'a');
  assert.notEqual(hashOf(grid(1, 1, 4)), hashOf(grid(1, 2, 2)));
});
