/**
 * The picture in an icon file that the reference shows: the largest, and of those the one with most bits a pixel. It is a
 * PNG, or a bitmap without its file head that is followed by a mask of one bit a pixel.
 */
import type { RgbImage } from '../resize.ts';
import type { BmpHeader } from './bmp-header.ts';
import { bmpPixels, bmpRowBytes } from './bmp-pixels.ts';

const ENTRIES_AT = 6;
const ENTRY_BYTES = 16;
/** An icon has a handful. */
const MOST_ENTRIES = 256;
const WITH_ALPHA = [0xff0000, 0xff00, 0xff, 0xff000000] as const;

/** @returns undefined when there is none, or it is cut off */
export function icoEntry(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length < ENTRIES_AT ? 0 : Math.min(MOST_ENTRIES, view.getUint16(4, true));
  let best: { readonly area: number; readonly bits: number; readonly data: Uint8Array } | undefined;
  for (let index = 0; index < count; index++) {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    if (at + ENTRY_BYTES > bytes.length) return undefined;
    const side = (offset: number) => view.getUint8(at + offset) || 256;
    const area = side(0) * side(1);
    const bits = view.getUint16(at + 6, true);
    if (best !== undefined && (area < best.area || (area === best.area && bits <= best.bits))) continue;
    const start = view.getUint32(at + 12, true);
    const end = start + view.getUint32(at + 8, true);
    if (end > bytes.length || end === start) return undefined;
    best = { area, bits, data: bytes.subarray(start, end) };
  }
  return best?.data;
}

/** @returns undefined when pixels are missing */
export function icoBitmap(bytes: Uint8Array, header: BmpHeader): RgbImage | undefined {
  if (header.bits === 32) return bmpPixels(bytes, { ...header, masks: WITH_ALPHA });
  const image = bmpPixels(bytes, header);
  if (image === undefined) return undefined;
  const { width, height, data } = image;
  const maskAt = header.pixelsAt + bmpRowBytes(width, header.bits) * height;
  const rowBytes = bmpRowBytes(width, 1);
  if (bytes.length < maskAt + rowBytes * height) return undefined;
  for (let y = 0; y < height; y++) {
    const row = maskAt + (height - 1 - y) * rowBytes;
    for (let x = 0; x < width; x++) {
      const hidden = (((bytes[row + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1) === 1;
      if (hidden) data.fill(255, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  return image;
}
