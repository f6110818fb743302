/** Rescaling and normalization, for all 256 levels of a channel at once. */
import * as z from 'zod';

const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/** The fields of an image processor that say how levels become numbers. @param mean, std defaults */
export function levelFields(mean: readonly [number, number, number], std: readonly [number, number, number]) {
  return {
    do_rescale: z.boolean().default(true),
    rescale_factor: z.number().default(1 / 255),
    do_normalize: z.boolean().default(true),
    image_mean: perChannel.default([...mean]),
    image_std: perChannel.default([...std]),
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

/** The float32 value of each 8-bit level, by channel, with the roundings to float32 that the reference makes. */
export function normalizedLevels(config: LevelConfig): readonly Float32Array[] {
  return config.image_mean.map((mean, channel) => {
    const std = config.image_std[channel] ?? 1;
    return Float32Array.from({ length: LEVELS }, (_, level) => {
      const rescaled = config.do_rescale ? Math.fround(level * config.rescale_factor) : level;
      if (!config.do_normalize) return rescaled;
      return Math.fround(Math.fround(rescaled - Math.fround(mean)) / Math.fround(std));
    });
  });
}
