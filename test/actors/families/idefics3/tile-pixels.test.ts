import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preprocessorSchema } from '../../../../actors/families/idefics3/config.ts';
import { TilePixels } from '../../../../actors/families/idefics3/tile-pixels.ts';
import { planTiles } from '../../../../actors/families/idefics3/tiling.ts';
import { decodeImage } from '../../../../actors/images/image-decode.ts';
import { atOnce } from '../../../../actors/images/in-turns.ts';
import type { RgbImage } from '../../../../actors/images/resize.ts';
import {
  type DecodedGolden,
  decodedPixels,
  encodedImage,
  golden,
  sha256,
} from '../../processor/support/golden.ts';

/** Lossy images from the reference's pixels, so that these tests are about everything after decoding. */
async function pixelsOf(expected: DecodedGolden): Promise<RgbImage> {
  const data = decodedPixels(expected);
  if (data === null) return decodeImage(encodedImage(expected.image), 'image');
  return { width: expected.width, height: expected.height, data };
}

const images = new Map<string, RgbImage>();
for (const expected of golden.decoded) images.set(expected.image, await pixelsOf(expected));

for (const expected of golden.cases) {
  test(`${expected.image} with ${expected.config} equals the reference bit for bit`, () => {
    const config = preprocessorSchema.parse(golden.configs[expected.config]);
    const image = images.get(expected.image);
    assert.ok(image);
    const plan = planTiles(config, image);
    assert.deepEqual([plan.rows, plan.cols, [...plan.shape]], [expected.rows, expected.cols, expected.shape]);
    const length = plan.shape.reduce((product, size) => product * size, 1);
    const target = new Float32Array(new SharedArrayBuffer(length * 4));
    atOnce(new TilePixels(config).write(image, plan, target));
    assert.equal(sha256(new Uint8Array(target.buffer)), expected.float32Sha256);
  });
}

const config = preprocessorSchema.parse(golden.configs['whole-80']);
const white: RgbImage = { width: 2, height: 2, data: new Uint8Array(12).fill(255) };

test('a target of another size than the plan is refused', () => {
  const plan = planTiles(config, white);
  const pixels = new TilePixels(config);
  assert.throws(() => atOnce(pixels.write(white, plan, new Float32Array(3))), RangeError);
});

test('an image of another size than the plan is refused', () => {
  const plan = planTiles(config, { width: 3, height: 2 });
  const pixels = new TilePixels(config);
  assert.throws(() => atOnce(pixels.write(white, plan, new Float32Array(3 * 80 * 80))), RangeError);
});

test('without rescale and normalize the levels themselves are written', () => {
  const raw = { ...config, do_rescale: false, do_normalize: false };
  const target = new Float32Array(3 * 80 * 80);
  atOnce(new TilePixels(raw).write(white, planTiles(raw, white), target));
  assert.ok(target.every((level) => level === 255));
});

test('a plan is plain data without the pixels it was made for', () => {
  assert.deepEqual(planTiles(config, white).source, { width: 2, height: 2 });
});

test('no side grows beyond 4096 pixels', () => {
  const huge = { ...config, do_image_splitting: true, size: { longest_edge: 10_000 } };
  const [first] = planTiles(huge, { width: 4000, height: 2000 }).resizes;
  assert.deepEqual(first, { width: 4096, height: 2048 });
});
