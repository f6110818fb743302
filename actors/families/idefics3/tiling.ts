/**
 * How Idefics3 cuts an image, the arithmetic of its reference image processor: the longer side is brought to
 * `size.longest_edge`, both sides are rounded up to whole tiles, the grid of tiles is followed by the whole image
 * as one tile. Without splitting there is that one tile alone.
 */
import type { ImageSize } from '../family.ts';
import type { Idefics3Preprocessor } from './config.ts';

/** What becomes of one image: the sizes it is brought to, one after the other, and the tiles cut from the last. */
export interface Tiling {
  /** The image as decoded. */
  readonly source: ImageSize;
  /** Each is resized from the one before; equal neighbours were dropped. The last is cut into tiles. */
  readonly resizes: readonly ImageSize[];
  /** Rows and columns of tiles; 0 and 0 when the image is one tile. */
  readonly rows: number;
  readonly cols: number;
  /** `rows × cols + 1`: the last tile is the whole image. */
  readonly tiles: number;
  /** float32 pixels for the vision graph: `[tiles, 3, height, width]`. */
  readonly shape: readonly [tiles: number, channels: 3, height: number, width: number];
}

/** No side is ever brought to more pixels than this. */
const MAX_SIDE = 4096;

export function planTiles(config: Idefics3Preprocessor, source: ImageSize): Tiling {
  const tile = config.max_image_size.longest_edge;
  const sizes = [source];
  const current = (): ImageSize => sizes.at(-1) ?? source;
  if (config.do_resize) sizes.push(fitLongestEdge(current(), config.size.longest_edge));
  sizes.push(config.do_image_splitting ? roundUpToTiles(current(), tile) : { width: tile, height: tile });

  const { width, height } = current();
  const split = width > tile || height > tile;
  const rows = split ? height / tile : 0;
  const cols = split ? width / tile : 0;
  const tiles = rows * cols + 1;
  return {
    source: { width: source.width, height: source.height },
    resizes: sizes.filter((size, i) => i > 0 && !sameSize(size, sizes[i - 1])),
    rows,
    cols,
    tiles,
    shape: [tiles, 3, tile, tile],
  };
}

/** The longer side becomes `longestEdge`, the other keeps the ratio, is made even, and is at least 1. */
function fitLongestEdge({ width, height }: ImageSize, longestEdge: number): ImageSize {
  // The ratio is taken first, as the reference does: `longestEdge * height / width` rounds differently.
  const ratio = width / height;
  const even = (side: number): number => Math.max(1, side + (side % 2));
  return width >= height
    ? limitSides({ width: longestEdge, height: even(Math.trunc(longestEdge / ratio)) })
    : limitSides({ width: even(Math.trunc(longestEdge * ratio)), height: longestEdge });
}

function limitSides({ width, height }: ImageSize): ImageSize {
  const ratio = width / height;
  if (width >= height && width > MAX_SIDE) {
    return { width: MAX_SIDE, height: Math.max(1, Math.trunc(MAX_SIDE / ratio)) };
  }
  if (height > width && height > MAX_SIDE) {
    return { width: Math.max(1, Math.trunc(MAX_SIDE * ratio)), height: MAX_SIDE };
  }
  return { width, height };
}

/** The longer side to a multiple of the tile, the other by the same ratio and then up to a multiple as well. */
function roundUpToTiles({ width, height }: ImageSize, tile: number): ImageSize {
  const ratio = width / height;
  const up = (side: number): number => Math.ceil(side / tile) * tile;
  return width >= height
    ? { width: up(width), height: up(Math.trunc(up(width) / ratio)) }
    : { width: up(Math.trunc(up(height) * ratio)), height: up(height) };
}

function sameSize(a: ImageSize, b: ImageSize | undefined): boolean {
  return a.width === b?.width && a.height === b.height;
}
