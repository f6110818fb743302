/**
 * Pixels for the vision graph: brings a decoded image to the sizes of its plan, cuts the tiles, normalizes, and
 * writes float32 planes straight into the caller's (shared) memory. Bit-equal to the reference image processor.
 *
 *     target: [tile][channel][row][column]; grid tiles row by row, then the whole image
 */
import type { Steps } from '../../images/in-turns.ts';
import { type RgbImage, resizeBytes, resizeSteps } from '../../images/resize.ts';
import { normalizedLevels } from '../normalized-levels.ts';
import { writeGrid, writePlanes } from '../write-planes.ts';
import type { Idefics3Preprocessor } from './config.ts';
import type { Tiling } from './tiling.ts';

const CHANNELS = 3;

export class TilePixels {
  readonly #filter: number;
  readonly #levels: readonly Float32Array[];

  constructor(config: Idefics3Preprocessor) {
    this.#filter = config.resample;
    this.#levels = normalizedLevels(config);
  }

  /** Most bytes that `write` takes beside the image and the target. */
  scratchBytes({ source, resizes, shape }: Tiling): number {
    const [, , height, width] = shape;
    return resizeBytes([source, ...resizes, { width, height }]);
  }

  /**
   * @param image of the plan's source size
   * @param target exactly `tiles × 3 × height × width` floats
   */
  *write(image: RgbImage, plan: Tiling, target: Float32Array): Steps<void> {
    const [tiles, , height, width] = plan.shape;
    const tileLength = CHANNELS * height * width;
    if (target.length !== tiles * tileLength) throw new RangeError('target has another shape than the plan');
    if (image.width !== plan.source.width || image.height !== plan.source.height) {
      throw new RangeError('the image has another size than the plan');
    }
    let resized = image;
    for (const size of plan.resizes) {
      resized = yield* resizeSteps(resized, size.width, size.height, this.#filter);
    }
    const { rows, cols } = plan;
    yield* writeGrid(resized, { rows, cols, tile: { width, height } }, this.#levels, target);
    const whole = yield* resizeSteps(resized, width, height, this.#filter);
    const last = target.subarray(rows * cols * tileLength);
    writePlanes(whole, { left: 0, top: 0, width, height }, this.#levels, last);
  }
}
