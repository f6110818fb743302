/** Small pictures of every kind that a format has, and what the reference sees in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const FOLDER = new URL('../../../fixtures/pictures/', import.meta.url);

export interface PictureGolden {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly offset: number;
  /** Whose pixels: the reference's, or those that were drawn, where it cannot read the kind. */
  readonly by: 'Pillow' | 'drawing';
}

const golden: { readonly pictures: readonly PictureGolden[] } = JSON.parse(
  readFileSync(new URL('pictures.json', FOLDER), 'utf8'),
);
const pixels = gunzipSync(readFileSync(new URL('pictures.bin.gz', FOLDER)));

export const pictures = golden.pictures;

/** Names of the files that have no right reading. */
export const refusedPictures = readdirSync(new URL('images/', FOLDER)).filter((name) =>
  name.startsWith('refused-'),
);

export function pictureBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`images/${name}`, FOLDER)));
}

export function picturePixels({ offset, width, height }: PictureGolden): Uint8Array {
  return new Uint8Array(pixels.subarray(offset, offset + width * height * 3));
}
