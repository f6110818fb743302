/** Pixel layouts to RGB, with the integer arithmetic of the reference (Pillow). */
import { types } from 'node:util';
import type { PixelLayout } from './formats/tiff-kind.ts';

type Rgb = readonly [red: number, green: number, blue: number];

const WHITE = 255;
const ON_WHITE: Rgb = [WHITE, WHITE, WHITE];

/** RGBA to RGB in place, composited; the result is a view of `data`'s first three quarters. */
export function rgbaOn(data: Uint8Array, background: Rgb = ON_WHITE): Uint8Array {
  const [red, green, blue] = background;
  let to = 0;
  for (let from = 0; from < data.length; from += 4) {
    const alpha = data[from + 3] ?? WHITE;
    data[to++] = over(data[from] ?? 0, alpha, red);
    data[to++] = over(data[from + 1] ?? 0, alpha, green);
    data[to++] = over(data[from + 2] ?? 0, alpha, blue);
  }
  return data.subarray(0, to);
}

/** One channel (grey) or two (grey, alpha) to RGB; a new array, since it is the larger one. */
export function greyToRgb(data: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((data.length / channels) * 3);
  let to = 0;
  for (let from = 0; from < data.length; from += channels) {
    const level = data[from] ?? 0;
    const seen = channels === 1 ? level : onWhite(level, data[from + 1] ?? WHITE);
    rgb[to++] = seen;
    rgb[to++] = seen;
    rgb[to++] = seen;
  }
  return rgb;
}

/**
 * Pixels of any number of bands to RGB, those that are neither colour nor opacity left out. In place where a pixel has
 * three bands or more; 16 bits are cut to 8.
 * @param data CMYK with 0 for no ink
 */
export function bandsToRgb(data: Uint8Array | Uint16Array, bands: number, layout: PixelLayout): Uint8Array {
  const { colours, alpha } = layout;
  const cut = types.isUint16Array(data) ? 8 : 0;
  const pixels = data.length / bands;
  // Writing stays behind reading: three bytes a pixel never overtake three bands or more.
  const rgb =
    bands < 3 ? new Uint8Array(pixels * 3) : new Uint8Array(data.buffer, data.byteOffset, pixels * 3);
  const band = (at: number) => (data[at] ?? 0) >> cut;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = pixel * bands;
    const opacity = alpha === undefined ? WHITE : band(from + alpha);
    const light = colours === 4 ? WHITE - band(from + 3) : 0;
    const colour = (channel: number) => {
      const level = band(from + (colours === 1 ? 0 : channel));
      return onWhite(colours === 4 ? underInk(level, light) : level, opacity);
    };
    const [red, green, blue] = [colour(0), colour(1), colour(2)];
    rgb[pixel * 3] = red;
    rgb[pixel * 3 + 1] = green;
    rgb[pixel * 3 + 2] = blue;
  }
  return rgb;
}

/** `level` with `alpha` over white. */
export function onWhite(level: number, alpha: number): number {
  return over(level, alpha, WHITE);
}

/** The factor 128 keeps the bits that decide the rounding, as the reference does. */
function over(level: number, alpha: number, background: number): number {
  const scaled = (level * alpha + background * (WHITE - alpha) + 128) * 128;
  return ((scaled >> 8) + scaled) >> 15;
}

function underInk(ink: number, light: number): number {
  return Math.max(0, light - divideBy255(ink * light));
}

/** `value / 255`, rounded, for 0 to 255². */
function divideBy255(value: number): number {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}
