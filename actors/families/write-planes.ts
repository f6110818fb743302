/** Pixels as most vision graphs take them: a plane for each channel. */
import type { Steps } from '../images/in-turns.ts';
import type { RgbImage } from '../images/resize.ts';

/** A rectangle of an image, in pixels; it lies inside. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const CHANNELS = 3;

/**
 * Writes a rectangle of an image as `[channel][row][column]`.
 *
 * @param levels the value of each 8-bit level, by channel (`normalizedLevels`)
 * @param to `3 × height × width` floats
 */
export function writePlanes(
  image: RgbImage,
  { left, top, width, height }: Region,
  levels: readonly Float32Array[],
  to: Float32Array,
): void {
  const plane = width * height;
  const source = image.data;
  for (const [channel, values] of levels.entries()) {
    let at = channel * plane;
    for (let y = 0; y < height; y++) {
      let from = ((top + y) * image.width + left) * CHANNELS + channel;
      for (let x = 0; x < width; x++) {
        // In range by construction; a check here costs more than the copy.
        to[at++] = values[source[from] as number] as number;
        from += CHANNELS;
      }
    }
  }
}

/** Tiles side by side from the upper left corner of an image, in which they lie. */
export interface TileGrid {
  readonly rows: number;
  readonly cols: number;
  /** Of a tile, pixels. */
  readonly tile: { readonly width: number; readonly height: number };
}

/** Writes the tiles row by row, each as `writePlanes` does. */
export function* writeGrid(
  image: RgbImage,
  { rows, cols, tile: { width, height } }: TileGrid,
  levels: readonly Float32Array[],
  to: Float32Array,
): Steps<void> {
  for (let at = 0; at < rows * cols; at++) {
    const [left, top] = [(at % cols) * width, Math.floor(at / cols) * height];
    writePlanes(image, { left, top, width, height }, levels, to.subarray(at * CHANNELS * height * width));
    yield;
  }
}
