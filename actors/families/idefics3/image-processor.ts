/**
 * Pixels for the vision graph: brings a decoded image to the sizes of its plan, cuts the tiles, normalizes, and
 * writes float32 planes straight into the caller's (shared) memory. Bit-equal to the reference image processor.
 *
 *     target: [tile][channel][row][column]; grid tiles row by row, then the whole image
 */

import { atOnce, inTurns, type Steps } from '../../images/in-turns.ts';
import { type RgbImage, resizeSteps } from '../../images/resize.ts';
import type { PreprocessorConfig } from '../../model/model-config.ts';
import type { ImagePlan } from '../family.ts';

const CHANNELS = 3;
const LEVELS = 256;

export class Idefics3ImageProcessor {
  readonly #filter: number;
  /** The float32 value of each 8-bit level, by channel. */
  readonly #values: readonly Float32Array[];

  constructor(config: PreprocessorConfig) {
    this.#filter = config.resample;
    this.#values = normalizedLevels(config);
  }

  /**
   * @param image of the plan's source size
   * @param target exactly `tiles × 3 × height × width` floats
   */
  write(image: RgbImage, plan: ImagePlan, target: Float32Array): void {
    atOnce(this.#steps(image, plan, target));
  }

  /** The same, while the thread turns to others in between. @throws the signal's reason when it aborts */
  async writeInTurns(
    image: RgbImage,
    plan: ImagePlan,
    target: Float32Array,
    signal: AbortSignal,
  ): Promise<void> {
    await inTurns(this.#steps(image, plan, target), signal);
  }

  *#steps(image: RgbImage, plan: ImagePlan, target: Float32Array): Steps<void> {
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
    let tile = 0;
    for (let row = 0; row < plan.rows; row++) {
      for (let col = 0; col < plan.cols; col++) {
        const part = target.subarray(tile * tileLength, (tile + 1) * tileLength);
        this.#writeTile(resized, col * width, row * height, width, height, part);
        tile++;
        yield;
      }
    }
    const whole = yield* resizeSteps(resized, width, height, this.#filter);
    this.#writeTile(whole, 0, 0, width, height, target.subarray(tile * tileLength));
  }

  #writeTile(
    image: RgbImage,
    left: number,
    top: number,
    width: number,
    height: number,
    to: Float32Array,
  ): void {
    const plane = width * height;
    const source = image.data;
    for (const [channel, values] of this.#values.entries()) {
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
}

/** Rescale and normalize, for all 256 levels, with the roundings to float32 that the reference makes. */
function normalizedLevels(config: PreprocessorConfig): Float32Array[] {
  return config.image_mean.map((mean, channel) => {
    const std = config.image_std[channel] ?? 1;
    return Float32Array.from({ length: LEVELS }, (_, level) => {
      const rescaled = config.do_rescale ? Math.fround(level * config.rescale_factor) : level;
      if (!config.do_normalize) return rescaled;
      return Math.fround(Math.fround(rescaled - Math.fround(mean)) / Math.fround(std));
    });
  });
}
