/**
 * Images that become one picture of a fixed size: resized by the shorter side or to a square, the middle cut out. The
 * arithmetic of transformers' `TorchvisionBackend`.
 */
import * as z from 'zod';
import type { Steps } from '../images/in-turns.ts';
import { type RgbImage, resizeBytes, resizeSteps } from '../images/resize.ts';
import type { ImageSize } from './family.ts';
import { type LevelConfig, levelFields, normalizedLevels } from './normalized-levels.ts';
import { canvasBytes, padImage } from './pad-image.ts';
import { writePlanes } from './write-planes.ts';

const positiveInt = z.int().positive();
const exactSize = z.object({ height: positiveInt, width: positiveInt });
type Mean = readonly [number, number, number];

export interface WholeImageDefaults {
  /** Side of the square, pixels. */
  readonly side: number;
  readonly crop: boolean;
  /** Pillow's filter id. */
  readonly resample: number;
  readonly mean: Mean;
  readonly std: Mean;
}

/** The fields of `preprocessor_config.json`, with the defaults of a family's reference. */
export function wholeImageSchema({ side, crop, resample, mean, std }: WholeImageDefaults) {
  const square = { height: side, width: side };
  /** A number is the shorter side, as older files write it. */
  const size = z.union([
    positiveInt.transform((shortest_edge) => ({ shortest_edge })),
    z.object({ shortest_edge: positiveInt }),
    exactSize,
  ]);
  const cropSize = z.union([positiveInt.transform((one) => ({ height: one, width: one })), exactSize]);
  return z.object({
    do_resize: z.boolean().default(true),
    size: size.default(crop ? { shortest_edge: side } : square),
    do_center_crop: z.boolean().default(crop),
    crop_size: cropSize.default(square),
    resample: z.int().min(0).max(5).default(resample),
    ...levelFields(mean, std),
  });
}

export interface WholeImageConfig extends LevelConfig {
  readonly do_resize: boolean;
  readonly size: { readonly shortest_edge: number } | { readonly height: number; readonly width: number };
  readonly do_center_crop: boolean;
  readonly crop_size: { readonly height: number; readonly width: number };
  readonly resample: number;
  /** Levels by channel around an image that is made square before; absent where it keeps its shape. */
  readonly background?: readonly number[] | undefined;
}

export class WholeImage {
  readonly #config: WholeImageConfig;
  readonly #levels: readonly Float32Array[];

  constructor(config: WholeImageConfig) {
    this.#config = config;
    this.#levels = normalizedLevels(config);
  }

  /** What a picture becomes; its size is that of the crop, or of the resize where nothing is cropped. */
  sizeOf(source: ImageSize): ImageSize {
    const { do_center_crop, crop_size } = this.#config;
    return do_center_crop ? crop_size : this.#resized(source);
  }

  /** Most bytes that `write` takes beside the image and the target. */
  scratchBytes(source: ImageSize): number {
    const square = this.#squared(source);
    const padded = square === source ? 0 : canvasBytes(square);
    return padded + resizeBytes([square, this.#resized(source)]);
  }

  /**
   * @param image of any size
   * @param target `[3, height, width]`, flat, of `sizeOf` the image
   */
  *write(image: RgbImage, target: Float32Array): Steps<void> {
    const { width, height } = this.#resized(image);
    const square = this.#square(image);
    const resized = yield* resizeSteps(square, width, height, this.#config.resample, 'torchvision');
    const to = this.sizeOf(image);
    if (target.length !== 3 * to.width * to.height)
      throw new RangeError('target has another shape than the plan');
    writeMiddle(resized, to, this.#levels, target);
  }

  #squared(source: ImageSize): ImageSize {
    const { width, height } = source;
    if (this.#config.background === undefined || width === height) return source;
    const side = Math.max(width, height);
    return { width: side, height: side };
  }

  #square(image: RgbImage): RgbImage {
    const canvas = this.#squared(image);
    const left = Math.floor((canvas.width - image.width) / 2);
    const top = Math.floor((canvas.height - image.height) / 2);
    return padImage(image, canvas, { left, top }, this.#config.background);
  }

  #resized(source: ImageSize): ImageSize {
    const { width, height } = this.#squared(source);
    const { do_resize, size } = this.#config;
    if (!do_resize) return { width, height };
    if (!('shortest_edge' in size)) return { width: size.width, height: size.height };
    const { shortest_edge: short } = size;
    return width <= height
      ? { width: short, height: Math.trunc((short * height) / width) }
      : { width: Math.trunc((short * width) / height), height: short };
  }
}

/** The middle of an image, with black around it where it is too small. */
function writeMiddle(
  image: RgbImage,
  { width, height }: ImageSize,
  levels: readonly Float32Array[],
  target: Float32Array,
): void {
  const [across, down] = [axis(image.width, width), axis(image.height, height)];
  if (across.count === width && down.count === height) {
    writePlanes(image, { left: across.from, top: down.from, width, height }, levels, target);
    return;
  }
  const part = new Float32Array(3 * across.count * down.count);
  const region = { left: across.from, top: down.from, width: across.count, height: down.count };
  writePlanes(image, region, levels, part);
  for (const [channel, values] of levels.entries()) {
    target.fill(values[0] ?? 0, channel * width * height, (channel + 1) * width * height);
    for (let y = 0; y < down.count; y++) {
      const from = (channel * down.count + y) * across.count;
      const to = (channel * height + down.to + y) * width + across.to;
      target.set(part.subarray(from, from + across.count), to);
    }
  }
}

/** Which of `have` pixels go where among `want`. */
function axis(
  have: number,
  want: number,
): { readonly from: number; readonly to: number; readonly count: number } {
  return have >= want
    ? { from: Math.trunc((have - want) / 2), to: 0, count: want }
    : { from: 0, to: Math.trunc((want - have) / 2), count: have };
}
