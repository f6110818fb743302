/**
 * The size an image is brought to: it keeps its own, shrunk into the bounds where it is larger, with both sides rounded up to whole
 * tokens. The arithmetic of transformers' `PixtralImageProcessor`.
 */
import { InputError } from '../../errors.ts';
import type { ImageSize } from '../family.ts';

export interface TokenGrid {
  /** The image as decoded. */
  readonly source: ImageSize;
  readonly resized: ImageSize;
  /** Of image tokens. */
  readonly rows: number;
  readonly columns: number;
}

export interface GridConfig {
  readonly do_resize: boolean;
  /** Most pixels. */
  readonly size: ImageSize;
}

/**
 * @param side of the square that becomes one token, pixels
 * @param field of the image, for the error
 * @throws InputError IMAGE_SHAPE_UNSUPPORTED for an image of which nothing is left when it is shrunk into the bounds and, where
 *   the model resizes nothing, for sides that no whole number of tokens covers
 */
export function planTokens(
  { do_resize, size }: GridConfig,
  side: number,
  { width, height }: ImageSize,
  field: string,
): TokenGrid {
  const source = { width, height };
  const refuse = (problem: string, remedy: string): InputError =>
    new InputError('IMAGE_SHAPE_UNSUPPORTED', problem, { field, value: `${width}×${height}`, remedy });
  if (!do_resize) {
    if (width % side === 0 && height % side === 0) return gridOf(source, source, side);
    const remedy = `Send images whose sides are multiples of ${side} pixels, or set do_resize in preprocessor_config.json.`;
    throw refuse('this model resizes no images, and the image is not cut into whole tokens', remedy);
  }
  const ratio = Math.max(height / size.height, width / size.width);
  const shrunk = (length: number): number => (ratio > 1 ? Math.floor(length / ratio) : length);
  const resized = { width: wholeTokens(shrunk(width), side), height: wholeTokens(shrunk(height), side) };
  if (resized.width > 0 && resized.height > 0) return gridOf(source, resized, side);
  const problem = `the image is too narrow: brought into ${size.width}×${size.height} pixels, nothing is left of its shorter side`;
  throw refuse(problem, 'Cut the image into pieces, or add a margin.');
}

function wholeTokens(length: number, side: number): number {
  return Math.ceil(length / side) * side;
}

function gridOf(source: ImageSize, resized: ImageSize, side: number): TokenGrid {
  return { source, resized, rows: resized.height / side, columns: resized.width / side };
}
