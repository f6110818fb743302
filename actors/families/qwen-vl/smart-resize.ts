/**
 * The size to which an image is brought: both sides multiples of `factor`, the number of pixels between two bounds, the ratio
 * kept as far as that allows. The arithmetic of transformers' `smart_resize` (models/qwen2_vl).
 */
import type { ImageSize } from '../family.ts';

export interface ResizeBounds {
  /** Pixels that each side is a multiple of: a patch times the patches that become a token. */
  readonly factor: number;
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** Of the longer side to the shorter; the reference refuses images beyond. */
export const MAX_RATIO = 200;

/** @param source of a ratio of at most `MAX_RATIO` */
export function smartResize(source: ImageSize, { factor, minPixels, maxPixels }: ResizeBounds): ImageSize {
  const each = (multiple: (side: number) => number): ImageSize => ({
    width: multiple(source.width) * factor,
    height: multiple(source.height) * factor,
  });
  const nearest = each((side) => roundHalfEven(side / factor));
  const area = source.width * source.height;
  if (nearest.width * nearest.height > maxPixels) {
    const shrink = Math.sqrt(area / maxPixels);
    return each((side) => Math.max(1, Math.floor(side / shrink / factor)));
  }
  if (nearest.width * nearest.height < minPixels) {
    const grow = Math.sqrt(minPixels / area);
    return each((side) => Math.ceil((side * grow) / factor));
  }
  return nearest;
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
