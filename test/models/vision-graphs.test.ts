/**
 * The exported vision graphs, on inputs that no picture of the fixtures makes: features as PyTorch computed them
 * (models/export/make_vision_golden.py), and those of an image whatever is encoded in the same run.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import { constantsOf, fixturePath, weightIn, writeCheckpoint } from './support/checkpoint.ts';
import { runExporter, whyNoExporter } from './support/exporter.ts';

/** What was kept of a tensor: the values at 0, `stride`, 2 · `stride` … */
interface Kept {
  readonly shape: readonly number[];
  readonly stride: number;
  readonly values: readonly number[];
}

/** Inputs of one run: the shape of the pixels, and what else the family has. */
interface Case {
  readonly family: string;
  readonly case: string;
  readonly pixel_values: readonly number[];
  readonly image_grid_thw?: readonly (readonly [number, number, number])[];
  readonly image_sizes?: readonly (readonly [number, number])[];
  /** Height and width of the picture in each tile; 0: no picture. */
  readonly pictures?: readonly (readonly [number, number])[];
  readonly outputs: Readonly<Record<string, Kept>>;
}

const SEED = 7;
/** Differences that another order of additions makes, of values up to 60. */
const NEAR = 1e-4;
/** Families whose images have sizes of their own and lie one behind the other. */
const GRID_FAMILIES = ['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl'];
const MERGED = 4;

const golden = new URL('../fixtures/vision-golden.json', import.meta.url);
const cases: readonly Case[] = JSON.parse(await readFile(golden, 'utf8'));

/** The numbers that make_vision_golden.py makes. */
function noise(count: number): Float32Array {
  let state = SEED;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);

const int64s = (rows: readonly (readonly number[])[]) =>
  new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0]);

function feedsOf(one: Case): Record<string, Tensor> {
  const { pixel_values: dims, image_grid_thw: grids, image_sizes: sizes, pictures } = one;
  const pixels = noise(product(dims));
  const feeds: Record<string, Tensor> = { pixel_values: new Tensor('float32', pixels, dims) };
  if (grids !== undefined) feeds.image_grid_thw = int64s(grids);
  if (sizes !== undefined) feeds.image_sizes = int64s(sizes);
  if (pictures !== undefined) {
    const mask = maskOf(pictures, dims.slice(-2));
    feeds.pixel_attention_mask = new Tensor('bool', mask, [1, pictures.length, ...dims.slice(-2)]);
    const area = product(dims.slice(-2));
    const channels = 3;
    // Beside its picture a tile is 0.
    pixels.forEach((value, i) => {
      const tile = Math.floor(i / (channels * area));
      pixels[i] = mask[tile * area + (i % area)] ? value : 0;
    });
  }
  return feeds;
}

function maskOf(pictures: NonNullable<Case['pictures']>, size: readonly number[]): Uint8Array {
  const [height = 0, width = 0] = size;
  return Uint8Array.from({ length: pictures.length * height * width }, (_, i) => {
    const [pictureHeight, pictureWidth] = pictures[Math.floor(i / (height * width))] ?? [0, 0];
    const row = Math.floor(i / width) % height;
    return row < pictureHeight && i % width < pictureWidth ? 1 : 0;
  });
}

const sessionOf = (folder: string) =>
  InferenceSession.create(join(folder, 'onnx', 'vision_encoder.onnx'), { intraOpNumThreads: 1 });

function floatsOf(tensor: Tensor | undefined): Float32Array {
  const data = tensor?.data;
  assert(data instanceof Float32Array);
  return data;
}

function assertNear(actual: Float32Array, expected: ArrayLike<number>, within: number): void {
  assert.equal(actual.length, expected.length);
  const difference = actual.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))),
    0,
  );
  assert(difference <= within, `differs by ${difference}`);
}

describe('an exported vision graph', () => {
  for (const one of cases) {
    it(`gives the features that PyTorch gives: ${one.family}, ${one.case}`, async () => {
      const session = await sessionOf(fixturePath(one.family));
      const outputs = await session.run(feedsOf(one));
      assert.deepEqual(Object.keys(outputs).sort(), Object.keys(one.outputs).sort());
      for (const [name, { shape, stride, values }] of Object.entries(one.outputs)) {
        const data = floatsOf(outputs[name]);
        assert.equal(data.length, product(shape), name);
        assertNear(
          data.filter((_, i) => i % stride === 0),
          values,
          NEAR,
        );
      }
    });
  }

  for (const family of GRID_FAMILIES) {
    it(`gives an image the same features in a run with others as alone: ${family}`, async () => {
      const session = await sessionOf(fixturePath(family));
      const one = cases.find((each) => each.family === family && each.case === 'three sizes');
      assert(one?.image_grid_thw !== undefined);
      const [, size = 0] = one.pixel_values;
      const feeds = feedsOf(one);
      const all = await session.run(feeds);
      let patches = 0;
      for (const grid of one.image_grid_thw) {
        const count = product(grid);
        const pixels = floatsOf(feeds.pixel_values).slice(patches * size, (patches + count) * size);
        const alone = await session.run({
          pixel_values: new Tensor('float32', pixels, [count, size]),
          image_grid_thw: int64s([grid]),
        });
        for (const [name, output] of Object.entries(alone)) {
          const [, hidden = 0] = output.dims;
          const start = (patches / MERGED) * hidden;
          const together = floatsOf(all[name]).slice(start, start + output.data.length);
          assertNear(floatsOf(output), together, 1e-6);
        }
        patches += count;
      }
    });
  }

  it('without a pixel mask gives whole tiles the same features', { skip: whyNoExporter() }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'troupe-vision-'));
    try {
      const [checkpoint, out] = [join(folder, 'checkpoint'), join(folder, 'exported')];
      const constants = await constantsOf('idefics3');
      await writeCheckpoint('idefics3', checkpoint, (name, shape) => weightIn(constants, name, shape));
      const { code, stderr } = runExporter(checkpoint, out, '--published', 'no-pixel-mask');
      assert.equal(code, 0, stderr);

      const one = cases.find((each) => each.family === 'idefics3' && each.case === 'whole tiles');
      assert(one !== undefined);
      const { pixel_attention_mask, ...feeds } = feedsOf(one);
      const [masked, whole] = await Promise.all([sessionOf(fixturePath('idefics3')), sessionOf(out)]);
      assert.deepEqual(whole.inputNames, ['pixel_values']);
      assert(pixel_attention_mask !== undefined);
      const { image_features: expected } = await masked.run({ ...feeds, pixel_attention_mask });
      const { image_features: features } = await whole.run(feeds);
      assertNear(floatsOf(features), floatsOf(expected), NEAR);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
