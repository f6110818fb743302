/** Several images in one run of the vision graphs, of the exporter's own kind and as published exports are. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { VisionBatcher } from '../../../../actors/encoder/vision-batcher.ts';
import { VisionEncoder } from '../../../../actors/encoder/vision-encoder.ts';
import { imagesOf } from '../../../../actors/families/registry.ts';
import { atOnce } from '../../../../actors/images/in-turns.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { writePublished } from '../../../support/published-model.ts';
import { drawing, FAMILIES, fixture } from './support/golden.ts';

/** A fixture with the graphs of its published variant. */
async function published(t: TestContext, family: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-model-'));
  t.after(() => rm(path, { recursive: true }));
  await cp(fixture(family), path, { recursive: true });
  await writePublished(family, path);
  return path;
}

const MODELS: readonly (readonly [string, (t: TestContext) => string | Promise<string>])[] = [
  ...FAMILIES.map((family) => [family, () => fixture(family)] as const),
  // grid_thw, and features in one row of a batch.
  ['qwen2_vl as published', (t) => published(t, 'qwen2_vl')],
  ['qwen3_vl as published', (t) => published(t, 'qwen3_vl')],
];

const SIZES = [
  [60, 60],
  [200, 57],
  [90, 310],
] as const;

for (const [name, pathOf] of MODELS) {
  test(`${name}: images that share a run become what they become alone`, async (t) => {
    const directory = await openModelDirectory(await pathOf(t));
    const images = imagesOf(directory);
    const encoder = await VisionEncoder.load(directory, { threads: 1 });
    const runs: number[] = [];
    const counted = {
      layers: encoder.layers,
      joinsImages: encoder.joinsImages,
      fixedTiles: undefined,
      encode: (...[feed, targets]: Parameters<VisionEncoder['encode']>) => {
        const [grids] = Object.values(feed.inputs);
        runs.push(grids?.shape[0] ?? 0);
        return encoder.encode(feed, targets);
      },
    };
    const batcher = new VisionBatcher({ encoder: counted, tiles: () => 100 });
    const encode = async (
      [width, height]: readonly [number, number],
      count: number,
    ): Promise<Float32Array> => {
      // Other pictures in each round.
      const image = {
        ...drawing(width, height),
        data: drawing(width, height).data.map((level) => level ^ count),
      };
      const plan = images.plan(image);
      const pixels = new Float32Array(plan.shape.reduce((product, side) => product * side, 1));
      atOnce(plan.write(image, pixels));
      const target = new Float32Array(encoder.layers * plan.tokens * directory.geometry.hiddenSize);
      await batcher.encode({ ...plan, pixels, target, requestId: 'a', signal: new AbortController().signal });
      return target;
    };

    const alone: Float32Array[] = [];
    for (const size of SIZES) alone.push(await encode(size, 0));
    await Promise.all(SIZES.map((size) => encode(size, 1)));
    const together = await Promise.all(SIZES.map((size) => encode(size, 0)));
    // One by one, together and one by one to compare, together from then on.
    assert.deepEqual(runs, [1, 1, 1, 3, 1, 1, 1, 3]);
    for (const [index, one] of alone.entries()) {
      const furthest = one.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (together[index]?.[i] ?? 9))),
        0,
      );
      assert.ok(furthest < 1e-4, `${SIZES[index]} differs by ${furthest}`);
      assert.ok(one.some((value) => Math.abs(value) > 1e-3));
    }
    await encoder.release();
  });
}
