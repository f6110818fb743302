/** Pixels for Pixtral's tower, `[channel][row][column]` of the resized image. */
import type { Steps } from '../../images/in-turns.ts';
import { type RgbImage, resizeBytes, resizeSteps } from '../../images/resize.ts';
import { type LevelConfig, normalizedLevels } from '../normalized-levels.ts';
import type { TokenGrid } from './token-grid.ts';

export const CHANNELS = 3;
/** Rows between two pauses: some hundred thousand pixels at the most. */
const ROWS_AT_ONCE = 64;

export class PicturePixels {
  readonly #resample: number;
  readonly #levels: readonly Float32Array[];

  constructor(config: LevelConfig & { readonly resample: number }) {
    this.#resample = config.resample;
    this.#levels = normalizedLevels(config, 'torchvision');
  }

  /** Most bytes that `write` takes beside the image and the target. */
  scratchBytes({ source, resized }: TokenGrid): number {
    return resizeBytes([source, resized]);
  }

  /**
   * @param image of the grid's source size
   * @param target exactly `3 × height × width` floats of the resized size
   */
  *write(image: RgbImage, { source, resized }: TokenGrid, target: Float32Array): Steps<void> {
    const { width, height } = resized;
    if (target.length !== CHANNELS * height * width) {
      throw new RangeError('target has another shape than the plan');
    }
    if (image.width !== source.width || image.height !== source.height) {
      throw new RangeError('the image has another size than the plan');
    }
    const { data } = yield* resizeSteps(image, width, height, this.#resample, 'torchvision');
    let at = 0;
    for (const [channel, values] of this.#levels.entries()) {
      let from = channel;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          // In range by construction; a check here costs more than the copy.
          target[at++] = values[data[from] as number] as number;
          from += CHANNELS;
        }
        if (y % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
      }
      yield;
    }
  }
}
