/**
 * How Llama 4 cuts an image: the canvas of whole tiles that fits it best, and the size it has on it. The arithmetic of
 * transformers' `image_processing_llama4.py`, which computes with sizes of canvases in single precision and with those of
 * images in double.
 */
import type { ImageSize } from '../family.ts';
import type { Llama4Preprocessor } from './config.ts';

export interface Canvas {
  /** Tiles below each other. */
  readonly rows: number;
  /** Tiles side by side. */
  readonly cols: number;
  /** What the image is resized to; it lies at the top left. */
  readonly resized: ImageSize;
}

export class Canvases {
  readonly #config: Llama4Preprocessor;
  /** Every grid that is allowed, in the reference's order: among equals the first is taken. */
  readonly #grids: readonly { readonly rows: number; readonly cols: number }[];

  constructor(config: Llama4Preprocessor) {
    this.#config = config;
    this.#grids = gridsOf(config.max_patches);
  }

  of(image: ImageSize): Canvas {
    const { rows, cols } = this.#bestFit(image);
    return { rows, cols, resized: this.#resized(image, { rows, cols }) };
  }

  /** The least enlargement, or else the least reduction; and of the canvases that give it, the smallest. */
  #bestFit({ width, height }: ImageSize): { readonly rows: number; readonly cols: number } {
    const { size, resize_to_max_canvas } = this.#config;
    const scaled = this.#grids.map(({ rows, cols }) => {
      const across = singleRatio(cols * size.width, width);
      const down = singleRatio(rows * size.height, height);
      return { rows, cols, scale: Math.min(across, down) };
    });
    const enlarging = scaled.map(({ scale }) => scale).filter((scale) => scale >= 1);
    const most = (scales: readonly number[]): number => scales.reduce((a, b) => Math.max(a, b));
    const least = (scales: readonly number[]): number => scales.reduce((a, b) => Math.min(a, b));
    const wanted =
      enlarging.length === 0
        ? most(scaled.map(({ scale }) => scale))
        : resize_to_max_canvas
          ? most(enlarging)
          : least(enlarging);
    return scaled
      .filter(({ scale }) => scale === wanted)
      .reduce((best, one) => (one.rows * one.cols < best.rows * best.cols ? one : best));
  }

  /** As large as the canvas lets it be, but never enlarged beyond one tile. */
  #resized(image: ImageSize, { rows, cols }: { readonly rows: number; readonly cols: number }): ImageSize {
    const { size, resize_to_max_canvas: whole } = this.#config;
    const width = target(image.width, size.height, cols * size.width, whole);
    const height = target(image.height, size.height, rows * size.height, whole);
    const across = width.single ? singleRatio(width.pixels, image.width) : width.pixels / image.width;
    const down = height.single ? singleRatio(height.pixels, image.height) : height.pixels / image.height;
    // A comparison of a single with a double is made in single precision.
    const mixed = width.single || height.single;
    const byWidth = mixed ? Math.fround(across) < Math.fround(down) : across < down;
    return byWidth
      ? { width: width.pixels, height: scaledSide(image.height, across, width.single, height.pixels) }
      : { width: scaledSide(image.width, down, height.single, width.pixels), height: height.pixels };
  }
}

interface TargetSide {
  readonly pixels: number;
  /** Whether it is the canvas's, with which is computed in single precision. */
  readonly single: boolean;
}

function target(side: number, tile: number, canvas: number, whole: boolean): TargetSide {
  const wanted = Math.max(side, tile);
  return whole || canvas < wanted ? { pixels: canvas, single: true } : { pixels: wanted, single: false };
}

function scaledSide(side: number, scale: number, single: boolean, most: number): number {
  const scaled = single ? Math.fround(side * scale) : side * scale;
  return Math.max(1, Math.min(Math.floor(scaled), most));
}

function singleRatio(a: number, b: number): number {
  return Math.fround(Math.fround(a) / Math.fround(b));
}

/** Grids of up to `most` tiles; those of one shape, as 2 × 2 and 1 × 1, follow each other. */
function gridsOf(most: number): { readonly rows: number; readonly cols: number }[] {
  const byRatio = new Map<number, { readonly rows: number; readonly cols: number }[]>();
  for (let tiles = most; tiles > 0; tiles--) {
    for (let rows = 1; rows <= tiles; rows++) {
      if (tiles % rows !== 0) continue;
      const cols = tiles / rows;
      const same = byRatio.get(rows / cols) ?? [];
      byRatio.set(rows / cols, [...same, { rows, cols }]);
    }
  }
  return [...byRatio.values()].flat();
}
