/** Pixel layouts to RGB, with the integer arithmetic of the reference (Pillow). */

const WHITE = 255;

/** RGBA to RGB in place, composited on white; the result is a view of `data`'s first three quarters. */
export function rgbaOnWhite(data: Uint8Array): Uint8Array {
  let to = 0;
  for (let from = 0; from < data.length; from += 4) {
    const alpha = data[from + 3] ?? WHITE;
    for (let channel = 0; channel < 3; channel++) data[to++] = onWhite(data[from + channel] ?? 0, alpha);
  }
  return data.subarray(0, to);
}

/** One channel (grey) or two (grey, alpha) to RGB; a new array, since it is the larger one. */
export function greyToRgb(data: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((data.length / channels) * 3);
  let to = 0;
  for (let from = 0; from < data.length; from += channels) {
    const level = data[from] ?? 0;
    rgb.fill(channels === 1 ? level : onWhite(level, data[from + 1] ?? WHITE), to, to + 3);
    to += 3;
  }
  return rgb;
}

/** CMYK (0 is no ink) to RGB in place; a view of `data`'s beginning. */
export function cmykToRgb(data: Uint8Array, channels: number): Uint8Array {
  let to = 0;
  for (let from = 0; from < data.length; from += channels) {
    const light = WHITE - (data[from + 3] ?? 0);
    for (let channel = 0; channel < 3; channel++) {
      data[to++] = Math.max(0, light - divideBy255((data[from + channel] ?? 0) * light));
    }
  }
  return data.subarray(0, to);
}

/** `level` with `alpha` over white. The factor 128 keeps the bits that decide the rounding, as the reference does. */
function onWhite(level: number, alpha: number): number {
  const scaled = (level * alpha + WHITE * (WHITE - alpha) + 128) * 128;
  return ((scaled >> 8) + scaled) >> 15;
}

/** `value / 255`, rounded, for 0 to 255². */
function divideBy255(value: number): number {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}
