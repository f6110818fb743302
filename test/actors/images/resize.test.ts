import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisWeights, RESAMPLE_FILTERS } from '../../../actors/images/resample-filters.ts';
import { type RgbImage, resize } from '../../../actors/images/resize.ts';

const FILTERS = [0, 1, 2, 3, 4, 5];

function flat(width: number, height: number, level: number): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(level) };
}

for (const filter of FILTERS) {
  test(`filter ${filter} keeps a flat image flat, up and down and to one pixel`, () => {
    for (const [width, height] of [
      [1, 1],
      [3, 50],
      [40, 7],
    ] as const) {
      const resized = resize(flat(13, 9, 201), width, height, filter);
      assert.deepEqual(
        [resized.width, resized.height, resized.data.length],
        [width, height, width * height * 3],
      );
      assert.ok(resized.data.every((level) => level === 201));
    }
  });
}

for (const [id, filter] of RESAMPLE_FILTERS) {
  test(`weights of filter ${id} add up to one within rounding`, () => {
    for (const [source, target] of [
      [100, 7],
      [7, 100],
      [1, 5],
      [5, 1],
    ] as const) {
      const { weights, counts, stride, bits } = axisWeights(filter, source, target, 'pillow');
      for (const [i, count] of counts.entries()) {
        const sum = weights.subarray(i * stride, i * stride + count).reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum - 2 ** bits) <= count);
      }
    }
  });
}

test('an image of the wanted size is returned itself', () => {
  const image = flat(4, 4, 1);
  assert.equal(resize(image, 4, 4, 1), image);
});

test('overshoot at a hard edge is clamped, not wrapped', () => {
  const data = Uint8Array.from({ length: 8 * 3 }, (_, i) => (i < 12 ? 0 : 255));
  const { data: resized } = resize({ width: 8, height: 1, data }, 31, 1, 1);
  const edge = 15 * 3;
  assert.ok(resized.subarray(0, edge - 6).every((level) => level < 40));
  assert.ok(resized.subarray(edge + 9).every((level) => level > 215));
});
