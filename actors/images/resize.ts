/**
 * Image resizing, bit for bit as Pillow or torchvision does it: two passes, columns first, in fixed point, with an 8-bit image
 * between them. libvips (sharp) is ten times faster, but its pixels differ by up to 21 of 255 levels near edges
 * when shrinking small images, and by up to 3 on photographs; a vision model was not trained on those.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { types } from 'node:util';
import { atOnce, type Steps } from './in-turns.ts';
import {
  type AxisWeights,
  axisWeights,
  NEAREST,
  RESAMPLE_FILTERS,
  type ResizeArithmetic,
} from './resample-filters.ts';

/**
 * 8-bit RGB, rows from the top, three bytes per pixel. `data` is a plain Uint8Array, never a Buffer: loops that see
 * both are compiled for both.
 */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Gives the memory of an image back now, and not when the collector comes to it: it looks at how much it has itself, and
 * pixels lie outside of that. The image is empty from here on. Resolves when the memory is free.
 */
export async function releasePixels({ data }: RgbImage): Promise<void> {
  if (types.isArrayBuffer(data.buffer)) data.buffer.transfer(0);
  await nextTurn(); // the decoder's own memory is freed in the next turn
}

/** Most bytes that resizing from each size to the next takes beside the first image: what is made, and weights. */
export function resizeBytes([first, ...sizes]: readonly Size[]): number {
  let bytes = 0;
  let from = first;
  for (const to of sizes) {
    if (from === undefined) break;
    bytes += CHANNELS * to.width * (from.height + to.height);
    bytes += WEIGHT_BYTES * (from.width + from.height + to.width + to.height);
    from = to;
  }
  return bytes;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of an axis, for each pixel of its source or target: the widest filter looks at six, in four bytes each. */
const WEIGHT_BYTES = 32;

// The inner loops read elements with `as number`: their indices are in range by construction, and `?? 0` in its
// place makes them slower by half.
const CHANNELS = 3;

/**
 * @param filter Pillow's id: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming
 * @param arithmetic whose roundings. Default Pillow's
 * @returns a new image, or `image` itself when it has that size already
 */
export function resize(
  image: RgbImage,
  width: number,
  height: number,
  filter: number,
  arithmetic: ResizeArithmetic = 'pillow',
): RgbImage {
  return atOnce(resizeSteps(image, width, height, filter, arithmetic));
}

/** The same, with pauses. */
export function* resizeSteps(
  image: RgbImage,
  width: number,
  height: number,
  filter: number,
  arithmetic: ResizeArithmetic = 'pillow',
): Steps<RgbImage> {
  if (image.width === width && image.height === height) return image;
  const resampleFilter = RESAMPLE_FILTERS.get(filter);
  if (filter === NEAREST || resampleFilter === undefined) return pickNearest(image, width, height);
  let wide = image;
  if (image.width !== width) {
    const axis = axisWeights(resampleFilter, image.width, width, arithmetic);
    wide = yield* inBlocks({ width, height: image.height }, image.width + width, (target, from, to) =>
      resizeColumns(image, width, axis, target, from, to),
    );
  }
  if (image.height === height) return wide;
  const axis = axisWeights(resampleFilter, image.height, height, arithmetic);
  return yield* inBlocks({ width, height }, width * axis.stride, (target, from, to) =>
    resizeRows(wide, axis, target, from, to),
  );
}

/** Pixels that are looked at between two pauses. */
const BLOCK_PIXELS = 256 * 1024;

/** @param rowPixels that are looked at for one row */
function* inBlocks(
  { width, height }: Size,
  rowPixels: number,
  write: (target: Uint8ClampedArray, fromRow: number, toRow: number) => void,
): Steps<RgbImage> {
  const target = new Uint8ClampedArray(width * height * CHANNELS);
  const rows = Math.max(1, Math.floor(BLOCK_PIXELS / rowPixels));
  for (let y = 0; y < height; y += rows) {
    write(target, y, Math.min(height, y + rows));
    yield;
  }
  return { width, height, data: new Uint8Array(target.buffer) };
}

function resizeColumns(
  image: RgbImage,
  width: number,
  axis: AxisWeights,
  target: Uint8ClampedArray,
  fromRow: number,
  toRow: number,
): void {
  const { starts, counts, weights, stride, bits } = axis;
  const half = bits === 0 ? 0 : 1 << (bits - 1);
  const { data: source, width: sourceWidth } = image;
  let to = fromRow * width * CHANNELS;
  for (let y = fromRow; y < toRow; y++) {
    const row = y * sourceWidth;
    for (let x = 0; x < width; x++) {
      let from = (row + (starts[x] ?? 0)) * CHANNELS;
      const first = x * stride;
      const end = first + (counts[x] ?? 0);
      let red = half;
      let green = half;
      let blue = half;
      for (let i = first; i < end; i++) {
        const weight = weights[i] as number;
        red = (red + Math.imul(source[from] as number, weight)) | 0;
        green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
        from += CHANNELS;
      }
      target[to] = red >> bits;
      target[to + 1] = green >> bits;
      target[to + 2] = blue >> bits;
      to += CHANNELS;
    }
  }
}

function resizeRows(
  image: RgbImage,
  axis: AxisWeights,
  target: Uint8ClampedArray,
  fromRow: number,
  toRow: number,
): void {
  const { starts, counts, weights, stride, bits } = axis;
  const half = bits === 0 ? 0 : 1 << (bits - 1);
  const { data: source, width } = image;
  const rowLength = width * CHANNELS;
  let to = fromRow * rowLength;
  for (let y = fromRow; y < toRow; y++) {
    const base = (starts[y] ?? 0) * rowLength;
    const first = y * stride;
    const end = first + (counts[y] ?? 0);
    for (let x = 0; x < rowLength; x += CHANNELS) {
      let from = base + x;
      let red = half;
      let green = half;
      let blue = half;
      for (let i = first; i < end; i++) {
        const weight = weights[i] as number;
        red = (red + Math.imul(source[from] as number, weight)) | 0;
        green = (green + Math.imul(source[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2] as number, weight)) | 0;
        from += rowLength;
      }
      target[to] = red >> bits;
      target[to + 1] = green >> bits;
      target[to + 2] = blue >> bits;
      to += CHANNELS;
    }
  }
}

function pickNearest(image: RgbImage, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * CHANNELS);
  const columns = nearest(image.width, width);
  const rows = nearest(image.height, height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((rows[y] ?? 0) * image.width + (columns[x] ?? 0)) * CHANNELS;
      data[to] = image.data[from] as number;
      data[to + 1] = image.data[from + 1] as number;
      data[to + 2] = image.data[from + 2] as number;
      to += CHANNELS;
    }
  }
  return { width, height, data };
}

/** The source pixel under each target pixel's center, accumulated step by step like the reference. */
function nearest(sourceSize: number, targetSize: number): Int32Array {
  const scale = sourceSize / targetSize;
  const picked = new Int32Array(targetSize);
  let position = scale * 0.5;
  for (let i = 0; i < targetSize; i++) {
    picked[i] = Math.min(sourceSize - 1, Math.trunc(position));
    position += scale;
  }
  return picked;
}
