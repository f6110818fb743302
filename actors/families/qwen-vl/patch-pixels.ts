/**
 * Pixels for the vision graph: an image is brought to the size of its grid, normalized, and written patch by patch.
 *
 *     target  [patch][channel][frame][row][column]
 *     patches [token row][token column][row in the token][column in the token]
 *
 * so that the patches of one token lie together. An image is a film of equal frames. The arithmetic of transformers'
 * `Qwen2VLImageProcessor`.
 */
import type { Steps } from '../../images/in-turns.ts';
import { type RgbImage, resizeBytes, resizeSteps } from '../../images/resize.ts';
import { normalizedLevels } from '../normalized-levels.ts';
import type { QwenPreprocessor } from './config.ts';
import type { PatchGrid } from './patch-grid.ts';

const CHANNELS = 3;

export class PatchPixels {
  readonly #config: QwenPreprocessor;
  readonly #levels: readonly Float32Array[];

  constructor(config: QwenPreprocessor) {
    this.#config = config;
    this.#levels = normalizedLevels(config, 'torchvision');
  }

  /** Floats of a patch. */
  get patchLength(): number {
    const { patch_size: side, temporal_patch_size: frames } = this.#config;
    return CHANNELS * frames * side ** 2;
  }

  /** Most bytes that `write` takes beside the image and the target. */
  scratchBytes({ source, resized }: PatchGrid): number {
    return resizeBytes([source, resized]);
  }

  /**
   * @param image of the grid's source size
   * @param target exactly `rows × columns × patchLength` floats
   */
  *write(image: RgbImage, grid: PatchGrid, target: Float32Array): Steps<void> {
    const { source, resized, rows, columns } = grid;
    const { patch_size: side, merge_size: merge, resample } = this.#config;
    if (target.length !== rows * columns * this.patchLength) {
      throw new RangeError('target has another shape than the plan');
    }
    if (image.width !== source.width || image.height !== source.height) {
      throw new RangeError('the image has another size than the plan');
    }
    const picture = yield* resizeSteps(image, resized.width, resized.height, resample, 'torchvision');
    let at = 0;
    for (let top = 0; top < rows; top += merge) {
      for (let left = 0; left < columns; left += merge) {
        for (let patch = 0; patch < merge ** 2; patch++) {
          const row = top + Math.floor(patch / merge);
          const column = left + (patch % merge);
          this.#writePatch(picture, column * side, row * side, target, at);
          at += this.patchLength;
        }
      }
      yield;
    }
  }

  #writePatch(image: RgbImage, left: number, top: number, target: Float32Array, start: number): void {
    const { patch_size: side, temporal_patch_size: frames } = this.#config;
    const { data, width } = image;
    const frame = side ** 2;
    let at = start;
    for (const [channel, values] of this.#levels.entries()) {
      const first = at;
      for (let y = 0; y < side; y++) {
        let from = ((top + y) * width + left) * CHANNELS + channel;
        for (let x = 0; x < side; x++) {
          // In range by construction; a check here costs more than the copy.
          target[at++] = values[data[from] as number] as number;
          from += CHANNELS;
        }
      }
      for (let copy = 1; copy < frames; copy++) {
        target.copyWithin(at, first, first + frame);
        at += frame;
      }
    }
  }
}
