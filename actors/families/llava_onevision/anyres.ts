/**
 * Any resolution (Li et al. 2024, "LLaVA-OneVision"): an image is fitted into one of several canvases and cut into tiles. Of
 * the map of patches that these make, the rows or columns that are padding alone are taken away; what is still more than
 * `anyres_max_N` allows is interpolated down, and a newline ends each row. The arithmetic of transformers.
 */
import type { ImageSize } from '../family.ts';

export interface AnyresConfig {
  /** Canvases, `[height, width]` in pixels. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** Side of one tile, pixels. */
  readonly tile: number;
  /** Patches along a side of a tile. */
  readonly side: number;
  /** N of `anyres_max_N`: the map is brought to as many patches as so many tiles have. */
  readonly mostTiles: number;
}

export interface Anyres {
  readonly canvas: ImageSize;
  /** What the image is resized to; it lies in the middle of the canvas. */
  readonly resized: ImageSize;
  /** Tiles of the canvas, and the whole image before them as one more. */
  readonly tiles: number;
  /** Of the whole image and of the map, newlines included. */
  readonly tokens: number;
}

export function planAnyres(image: ImageSize, config: AnyresConfig): Anyres {
  const { tile, side } = config;
  const canvas = bestCanvas(image, config.pinpoints);
  const tiles = Math.ceil(canvas.height / tile) * Math.ceil(canvas.width / tile) + 1;
  return {
    canvas,
    resized: fit(image, canvas),
    tiles,
    tokens: side * side + mapTokens(image, canvas, config),
  };
}

/** The one in which most of the image's pixels remain; and of those, the one with the least around it. */
function bestCanvas({ width, height }: ImageSize, pinpoints: AnyresConfig['pinpoints']): ImageSize {
  let best = { width: 0, height: 0 };
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [canvasHeight, canvasWidth] of pinpoints) {
    const scale = Math.min(canvasWidth / width, canvasHeight / height);
    const kept = Math.min(Math.trunc(width * scale) * Math.trunc(height * scale), width * height);
    const wasted = canvasWidth * canvasHeight - kept;
    if (kept < most || (kept === most && wasted >= least)) continue;
    most = kept;
    least = wasted;
    best = { width: canvasWidth, height: canvasHeight };
  }
  return best;
}

function fit({ width, height }: ImageSize, canvas: ImageSize): ImageSize {
  const across = canvas.width / width;
  const down = canvas.height / height;
  return across < down
    ? { width: canvas.width, height: Math.min(Math.ceil(height * across), canvas.height) }
    : { width: Math.min(Math.ceil(width * down), canvas.width), height: canvas.height };
}

function mapTokens(
  { width, height }: ImageSize,
  canvas: ImageSize,
  { tile, side, mostTiles }: AnyresConfig,
): number {
  let rows = side * Math.floor(canvas.height / tile);
  let cols = side * Math.floor(canvas.width / tile);
  if (width / height > cols / rows) {
    rows -= 2 * Math.floor((rows - wholePart(height * (cols / width))) / 2);
  } else {
    cols -= 2 * Math.floor((cols - wholePart(width * (rows / height))) / 2);
  }
  const ratio = Math.sqrt((rows * cols) / (mostTiles * side ** 2));
  if (ratio <= 1.1) return rows * (cols + 1);
  return timesIn(rows, ratio) * (timesIn(cols, ratio) + 1);
}

/** How often `b` is in `a`, both > 0: by the exact remainder, as Python does, where `a / b` may be rounded up to a whole. */
function timesIn(a: number, b: number): number {
  return Math.round((a - (a % b)) / b);
}

/** Of a number that is rounded to seven decimals before. */
function wholePart(value: number): number {
  return Math.trunc(Number(value.toFixed(7)));
}
