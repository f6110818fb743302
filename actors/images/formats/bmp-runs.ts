/**
 * Run-length encoded indices of a bitmap, one byte each, rows from the bottom without padding. A pair of bytes is a run;
 * one that begins with 0 ends the row (0) or the bitmap (1), jumps (2), or announces indices as they are (3 and more).
 */
import type { BmpHeader } from './bmp-header.ts';

const END_OF_ROW = 0;
const END = 1;
const JUMP = 2;

/** @returns undefined when the data end before the bitmap does */
export function runsToIndices(
  data: Uint8Array,
  { width, height, bits }: Pick<BmpHeader, 'width' | 'height' | 'bits'>,
): Uint8Array | undefined {
  const indices = new Uint8Array(width * height);
  const perByte = 8 / bits;
  let x = 0;
  let y = 0;
  let at = 0;
  /** What is beyond the row is dropped. */
  const put = (byte: number, nth: number): void => {
    if (x < width) indices[y * width + x] = perByte === 1 ? byte : nth % 2 === 0 ? byte >> 4 : byte & 15;
    x += 1;
  };
  while (y < height) {
    const count = data[at];
    const value = data[at + 1];
    if (count === undefined || value === undefined) return undefined;
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(value, i);
    } else if (value === END_OF_ROW) {
      x = 0;
      y += 1;
    } else if (value === END) {
      return indices;
    } else if (value === JUMP) {
      x += data[at] ?? 0;
      y += data[at + 1] ?? 0;
      at += 2;
    } else {
      for (let i = 0; i < value; i++) put(data[at + Math.floor(i / perByte)] ?? 0, i);
      // Whole words.
      at += Math.ceil(Math.ceil(value / perByte) / 2) * 2;
    }
  }
  return indices;
}
