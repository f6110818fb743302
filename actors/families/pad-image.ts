/** Images on a larger canvas of one color. */
import type { RgbImage } from '../images/resize.ts';
import type { ImageSize } from './family.ts';

const CHANNELS = 3;

/** Bytes of a canvas. */
export function canvasBytes({ width, height }: ImageSize): number {
  return CHANNELS * width * height;
}

/**
 * @param canvas at least as large as the image, `left` and `top` of it included
 * @param left, top where the image's first pixel goes
 * @param color of what is around it, 0 to 255 by channel. Default black
 * @returns a new image, or `image` itself when it has the canvas's size
 */
export function padImage(
  image: RgbImage,
  canvas: ImageSize,
  { left, top }: { readonly left: number; readonly top: number },
  color: readonly number[] = [],
): RgbImage {
  const { width, height } = canvas;
  if (image.width === width && image.height === height) return image;
  const data = new Uint8Array(canvasBytes(canvas));
  if (color.some((level) => level !== 0)) {
    for (let i = 0; i < data.length; i++) data[i] = color[i % CHANNELS] ?? 0;
  }
  const row = image.width * CHANNELS;
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * CHANNELS);
  }
  return { width, height, data };
}
