/** The reference rescales and normalizes Llama 4's pixels in bfloat16; rounded otherwise, they would differ by up to 2⁻⁸. */
import { type LevelConfig, normalizedLevels } from '../normalized-levels.ts';

const LEVELS = 256;

/** The value of each 8-bit level, by channel, with the roundings to bfloat16 that the reference makes. */
export function bfloat16Levels(config: LevelConfig): readonly Float32Array[] {
  if (!config.do_rescale || !config.do_normalize) return normalizedLevels(config);
  const factor = Math.fround(config.rescale_factor);
  return config.image_mean.map((mean, channel) => {
    const std = bfloat16(config.image_std[channel] ?? 1);
    return Float32Array.from({ length: LEVELS }, (_, level) =>
      bfloat16(bfloat16(bfloat16(level * factor) - bfloat16(mean)) / std),
    );
  });
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** Nearest, ties to even. */
function bfloat16(value: number): number {
  single[0] = value;
  const [word = 0] = bits;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return single[0] ?? 0;
}
