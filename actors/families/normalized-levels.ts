/** Rescaling and normalization, for all 256 levels of a channel at once. */
import * as z from 'zod';
import type { ResizeArithmetic } from '../images/resample-filters.ts';

/** Pixels are divided by it. */
const deviation = z.number().min(1e-6);
const deviations = z.tuple([deviation, deviation, deviation]);
const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/** The fields of an image processor that say how levels become numbers. @param mean, std defaults */
export function levelFields(mean: readonly [number, number, number], std: readonly [number, number, number]) {
  return {
    do_rescale: z.boolean().default(true),
    rescale_factor: z.number().default(1 / 255),
    do_normalize: z.boolean().default(true),
    image_mean: perChannel.default([...mean]),
    image_std: deviations.default([...std]),
  };
}

export interface LevelConfig {
  readonly do_rescale: boolean;
  readonly rescale_factor: number;
  readonly do_normalize: boolean;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
}

const LEVELS = 256;

/**
 * The float32 value of each 8-bit level, by channel, with the roundings to float32 that the reference makes.
 *
 * @param arithmetic torchvision's puts both steps into one: the mean is taken off before rescaling. Default Pillow's
 */
export function normalizedLevels(
  config: LevelConfig,
  arithmetic: ResizeArithmetic = 'pillow',
): readonly Float32Array[] {
  const { do_rescale, do_normalize, rescale_factor, image_mean, image_std } = config;
  return image_mean.map((mean, channel) => {
    const std = image_std[channel] ?? 1;
    if (arithmetic === 'torchvision') return torchvisionLevels(config, mean, std);
    return levels((level) => {
      const rescaled = do_rescale ? Math.fround(level * rescale_factor) : level;
      if (!do_normalize) return rescaled;
      return Math.fround(Math.fround(rescaled - Math.fround(mean)) / Math.fround(std));
    });
  });
}

function torchvisionLevels(
  { do_rescale, do_normalize, rescale_factor }: LevelConfig,
  mean: number,
  std: number,
): Float32Array {
  if (!do_normalize) return levels((level) => (do_rescale ? level * Math.fround(rescale_factor) : level));
  const unit = do_rescale ? Math.fround(1 / rescale_factor) : 1;
  const center = Math.fround(Math.fround(mean) * unit);
  const width = Math.fround(Math.fround(std) * unit);
  return levels((level) => Math.fround(level - center) / width);
}

function levels(value: (level: number) => number): Float32Array {
  return Float32Array.from({ length: LEVELS }, (_, level) => value(level));
}
