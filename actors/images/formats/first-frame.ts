/** The first frame of an animation, cut out of it, and how the reference shows it on its canvas. */
import type { RgbImage } from '../resize.ts';

export interface FirstFrame {
  /** A file with that frame alone. */
  readonly bytes: Uint8Array;
  /** What shows where there are no pixels, RGB. */
  readonly background: readonly [number, number, number];
  /** Where the frame lies; absent when it is decoded on its canvas. */
  readonly canvas?: Canvas;
}

export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** The frame on its canvas, which it lies in; the frame itself where it fills it. */
export function onCanvas(
  frame: RgbImage,
  { width, height, left, top }: Canvas,
  background: FirstFrame['background'],
): RgbImage {
  if (frame.width === width && frame.height === height) return frame;
  const row = new Uint8Array(width * 3);
  for (let at = 0; at < row.length; at += 3) row.set(background, at);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) data.set(row, y * width * 3);
  for (let y = 0; y < frame.height; y++) {
    const from = y * frame.width * 3;
    data.set(frame.data.subarray(from, from + frame.width * 3), ((top + y) * width + left) * 3);
  }
  return { width, height, data };
}
