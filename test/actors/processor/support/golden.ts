/** What the reference image processor made of the drawings in `test/fixtures/preprocess`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const FOLDER = new URL('../../../fixtures/preprocess/', import.meta.url);

export interface DecodedGolden {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  /** Where the pixels are in the binary file; null for lossless images, whose digest says it all. */
  readonly offset: number | null;
  readonly sha256: string;
}

export interface CaseGolden {
  readonly config: string;
  readonly image: string;
  readonly rows: number;
  readonly cols: number;
  readonly shape: readonly number[];
  readonly float32Sha256: string;
}

export interface PreprocessGolden {
  readonly configs: Readonly<Record<string, unknown>>;
  readonly decoded: readonly DecodedGolden[];
  readonly cases: readonly CaseGolden[];
}

export const golden: PreprocessGolden = JSON.parse(readFileSync(new URL('preprocess.json', FOLDER), 'utf8'));
const pixels = gunzipSync(readFileSync(new URL('preprocess.bin.gz', FOLDER)));

export function encodedImage(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`images/${name}`, FOLDER)));
}

/** The reference's pixels of a lossy image. */
export function decodedPixels({ offset, width, height }: DecodedGolden): Uint8Array | null {
  return offset === null ? null : new Uint8Array(pixels.subarray(offset, offset + width * height * 3));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
