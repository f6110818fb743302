/** Pictures for tests of the command line, good ones and bad ones. */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { golden, goldenImage } from '../../../support/golden.ts';

/** A picture that the pilot model describes right, with the reference answer. */
export const described = golden(33);

export const picturePath: string = goldenImage(described).pathname;

export function pictureBytes(): Buffer {
  return readFileSync(picturePath);
}

/** A sound PNG but for its header, which claims 50,000 × 50,000 pixels, checksum included. */
export function pixelBomb(): Buffer {
  const png = pictureBytes();
  png.writeUInt32BE(50_000, 16);
  png.writeUInt32BE(50_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

export async function truncatedJpeg(): Promise<Buffer> {
  const jpeg = await sharp(picturePath).resize(400).jpeg().toBuffer();
  return jpeg.subarray(0, jpeg.length / 2);
}
