/** What transformers makes of images and prompts for the Qwen-VL family: `scripts/make-qwen-golden.py`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RgbImage } from '../../../../../actors/images/resize.ts';

type Settings = Readonly<Record<string, unknown>>;

interface Patches {
  /** Of patches. */
  readonly rows: number;
  readonly columns: number;
  /** Of the float32 values. */
  readonly sha256: string;
}

interface QwenGolden {
  readonly grids: readonly {
    readonly config: Settings;
    readonly sizes: readonly (readonly [width: number, height: number, rows: number, columns: number])[];
  }[];
  readonly patches: readonly (Patches & {
    readonly config: Settings;
    readonly width: number;
    readonly height: number;
  })[];
  readonly pictures: readonly (Patches & { readonly family: string; readonly picture: string })[];
  readonly positions: readonly {
    readonly family: string;
    readonly ids: readonly number[];
    /** Rows and columns of patches. */
    readonly grids: readonly (readonly [rows: number, columns: number])[];
    readonly positions: readonly (readonly number[])[];
    readonly next: number;
  }[];
}

const file = new URL('../../../../fixtures/qwen-vl.json', import.meta.url);
export const golden: QwenGolden = JSON.parse(readFileSync(file, 'utf8'));

export const FAMILIES = ['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl'] as const;

/** A file of the fixtures of all families. */
export function fixture(...names: readonly string[]): string {
  return fileURLToPath(
    new URL(`../../../../fixtures/families/${names.map(encodeURIComponent).join('/')}`, import.meta.url),
  );
}

/** The drawing of the script. */
export function drawing(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[at++] = (x * 37 + y * 11 + c * 71 + ((x * y) >> 3)) % 256;
    }
  }
  return { width, height, data };
}
