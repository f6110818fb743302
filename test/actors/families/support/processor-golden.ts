/** What the reference's image processors make of images, written by `scripts/make-tile-golden.py`. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ImagePlan } from '../../../../actors/families/family.ts';
import { atOnce } from '../../../../actors/images/in-turns.ts';
import type { RgbImage } from '../../../../actors/images/resize.ts';

export interface ProcessorCase {
  /** As in `preprocessor_config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly height: number;
  readonly width: number;
  readonly shape: readonly number[];
  readonly float32Sha256: string;
  /** `[index, value]` of the flat pixels. */
  readonly samples: readonly (readonly [number, number])[];
}

/** `[height, width, …]`, and what becomes of them. */
type SizePlan = readonly (number | boolean)[];

export function processorGolden(name: string): {
  readonly cases: readonly ProcessorCase[];
  readonly plans: readonly SizePlan[];
} {
  const file = new URL(`../../../fixtures/families/${name}/preprocess.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The script's image of a size. */
export function picture({ height, width }: { readonly height: number; readonly width: number }): RgbImage {
  const data = Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => 31 * i + 7 * (i >> 5) + 5 * (i % 97),
  );
  return { width, height, data };
}

/** Pixels that a plan writes. */
export function pixelsOf(plan: ImagePlan): Float32Array<ArrayBuffer> {
  const target = new Float32Array(plan.shape.reduce((product, side) => product * side, 1));
  atOnce(plan.write(picture(plan.source), target));
  return target;
}

/** Bit for bit where the case's pixels are levels or the family normalizes as the reference does, else nearly. */
export function testPixels(one: ProcessorCase, exact: boolean, planOf: () => ImagePlan): void {
  const { height, width, config } = one;
  test(`${height} × ${width} pixels with ${JSON.stringify(config)} become the reference's`, () => {
    const plan = planOf();
    assert.deepEqual(plan.shape, one.shape);
    const pixels = pixelsOf(plan);
    if (exact) assert.equal(createHash('sha256').update(pixels).digest('hex'), one.float32Sha256);
    for (const [at, value] of one.samples) {
      assert.ok(Math.abs((pixels[at] ?? Number.NaN) - value) < 1e-5, `pixel ${at}`);
    }
  });
}
