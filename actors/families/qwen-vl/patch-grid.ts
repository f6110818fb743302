/** How an image is cut: the size it is brought to, and its rows and columns of patches. */
import { InputError } from '../../errors.ts';
import type { ImageSize } from '../family.ts';
import type { QwenPreprocessor } from './config.ts';
import { MAX_RATIO, smartResize } from './smart-resize.ts';

export interface PatchGrid {
  /** The image as decoded. */
  readonly source: ImageSize;
  readonly resized: ImageSize;
  /** Of patches; multiples of `merge_size`. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * @param field of the image, for the error
 * @throws InputError IMAGE_SHAPE_UNSUPPORTED for a side more than 200 times the other and, where the model resizes nothing,
 *   for sides that no whole number of tokens covers
 */
export function planGrid(config: QwenPreprocessor, { width, height }: ImageSize, field: string): PatchGrid {
  const source = { width, height };
  const factor = config.patch_size * config.merge_size;
  const refuse = (problem: string, remedy: string): InputError =>
    new InputError('IMAGE_SHAPE_UNSUPPORTED', problem, { field, value: `${width}×${height}`, remedy });
  if (Math.max(width, height) / Math.min(width, height) > MAX_RATIO) {
    const remedy = 'Cut the image into pieces, or add a margin.';
    throw refuse(`one side of the image is more than ${MAX_RATIO} times the other`, remedy);
  }
  const { min_pixels: minPixels, max_pixels: maxPixels } = config;
  const resized = config.do_resize ? smartResize(source, { factor, minPixels, maxPixels }) : source;
  if (resized.width % factor !== 0 || resized.height % factor !== 0) {
    const remedy = `Send images whose sides are multiples of ${factor} pixels, or set do_resize in preprocessor_config.json.`;
    throw refuse('this model resizes no images, and the image is not cut into whole tokens', remedy);
  }
  return {
    source,
    resized,
    rows: resized.height / config.patch_size,
    columns: resized.width / config.patch_size,
  };
}
