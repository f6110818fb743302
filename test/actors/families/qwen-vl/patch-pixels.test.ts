import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { preprocessorSchema } from '../../../../actors/families/qwen-vl/config.ts';
import { planGrid } from '../../../../actors/families/qwen-vl/patch-grid.ts';
import { PatchPixels } from '../../../../actors/families/qwen-vl/patch-pixels.ts';
import { imagesOf } from '../../../../actors/families/registry.ts';
import { decodeImage } from '../../../../actors/images/image-decode.ts';
import { atOnce } from '../../../../actors/images/in-turns.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { code } from '../../model/support/model-fixture.ts';
import { sha256 } from '../../processor/support/golden.ts';
import { drawing, FAMILIES, fixture, golden } from './support/golden.ts';

for (const { config, sizes } of golden.grids) {
  test(`${sizes.length} sizes have the reference's grid with ${JSON.stringify(config)}`, () => {
    const settings = preprocessorSchema.parse(config);
    for (const [width, height, rows, columns] of sizes) {
      const grid = planGrid(settings, { width, height }, 'image');
      assert.deepEqual([grid.rows, grid.columns], [rows, columns], `${width}×${height}`);
    }
  });
}

describe('patches of a drawing equal the reference bit for bit', () => {
  for (const { config, width, height, rows, columns, sha256: expected } of golden.patches) {
    test(`${width}×${height} with ${JSON.stringify(config)}`, () => {
      const settings = preprocessorSchema.parse(config);
      const grid = planGrid(settings, { width, height }, 'image');
      assert.deepEqual([grid.rows, grid.columns], [rows, columns]);
      const pixels = new PatchPixels(settings);
      const target = new Float32Array(rows * columns * pixels.patchLength);
      atOnce(pixels.write(drawing(width, height), grid, target));
      assert.equal(sha256(new Uint8Array(target.buffer)), expected);
    });
  }
});

describe('patches of a picture equal the reference bit for bit', () => {
  for (const { family, picture, rows, columns, sha256: expected } of golden.pictures) {
    test(`${picture} for ${family}`, async () => {
      const images = imagesOf(await openModelDirectory(fixture(family)));
      const image = await decodeImage(new Uint8Array(await readFile(fixture(picture))), 'image');
      const plan = images.plan(image);
      assert.deepEqual(plan.inputs.image_grid_thw, { shape: [1, 3], values: [1, rows, columns] });
      const target = new Float32Array(plan.shape.reduce((product, side) => product * side, 1));
      atOnce(plan.write(image, target));
      assert.equal(sha256(new Uint8Array(target.buffer)), expected);
    });
  }
});

for (const family of FAMILIES) {
  test(`an image of ${family} takes a token for each square of patches, and is encoded as a whole`, async () => {
    const plan = imagesOf(await openModelDirectory(fixture(family))).plan({ width: 300, height: 200 });
    const [patches = 0] = plan.shape;
    assert.equal(plan.tokens, patches / 4);
    assert.equal(plan.parts, 1);
    assert.equal(plan.expand(), '<|image_pad|>'.repeat(plan.tokens));
  });
}

const settings = preprocessorSchema.parse({});

test('an image whose one side is more than 200 times the other is refused, as the reference does', () => {
  planGrid(settings, { width: 400, height: 2 }, 'image');
  assert.throws(
    () => planGrid(settings, { width: 401, height: 2 }, 'messages[0].content[1].image'),
    (error) => {
      assert.ok(code('IMAGE_SHAPE_UNSUPPORTED')(error));
      assert.match(String(error), /messages\[0\]\.content\[1\]\.image.*401×2/);
      return true;
    },
  );
});

test('an image that no whole number of tokens covers is refused where nothing is resized', () => {
  const asItIs = preprocessorSchema.parse({ do_resize: false });
  assert.deepEqual(planGrid(asItIs, { width: 56, height: 28 }, 'image').rows, 2);
  assert.throws(() => planGrid(asItIs, { width: 42, height: 28 }, 'image'), code('IMAGE_SHAPE_UNSUPPORTED'));
});

test('a target of another size than the plan is refused', () => {
  const grid = planGrid(settings, { width: 56, height: 56 }, 'image');
  const write = new PatchPixels(settings).write(drawing(56, 56), grid, new Float32Array(3));
  assert.throws(() => atOnce(write), RangeError);
});

test('an image of another size than the plan is refused', () => {
  const pixels = new PatchPixels(settings);
  const grid = planGrid(settings, { width: 56, height: 56 }, 'image');
  const target = new Float32Array(grid.rows * grid.columns * pixels.patchLength);
  assert.throws(() => atOnce(pixels.write(drawing(57, 56), grid, target)), RangeError);
});

test('the bounds of the number of pixels are read from files of every age', () => {
  const bounds = (config: object) => {
    const { min_pixels, max_pixels } = preprocessorSchema.parse(config);
    return [min_pixels, max_pixels];
  };
  assert.deepEqual(bounds({ min_pixels: 3136, max_pixels: 12_845_056 }), [3136, 12_845_056]);
  assert.deepEqual(
    bounds({ size: { shortest_edge: 65_536, longest_edge: 16_777_216 } }),
    [65_536, 16_777_216],
  );
  assert.deepEqual(bounds({ size: { min_pixels: 3136, max_pixels: 12_845_056 } }), [3136, 12_845_056]);
  const both = { min_pixels: 100, size: { shortest_edge: 200, longest_edge: 300 } };
  assert.deepEqual(bounds(both), [100, 300]);
  assert.deepEqual(bounds({}), [3136, 1_003_520]);
});
