/**
 * The image inputs of a decoder that encodes images itself (integrated encoding, as Llama 4 in vLLM): all images of
 * the prompt at its prefill, none at the steps that follow.
 */

import type { GraphSession, Tensors } from '../../inference/graph-session.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import type { EngineImage } from '../engine-request.ts';

const PIXELS = 'pixel_values';
const MASK = 'pixel_attention_mask';

/** Channels, height, width: what a tile is when the prompt has no image to tell. */
type TileShape = readonly [number, number, number];

export class PixelFeeds {
  readonly #tile: TileShape;
  /** `[1, tiles, channels, height, width]` in exports of the Idefics3 kind, `[tiles, …]` in others. */
  readonly #batched: boolean;
  readonly #masked: boolean;
  readonly #none: Tensors;

  private constructor(session: GraphSession, shape: readonly (number | string)[]) {
    const [channels, height, width] = shape.slice(-3);
    // Sizes that the graph leaves open may be anything while there is no tile.
    this.#tile = [sizeOf(channels), sizeOf(height), sizeOf(width)];
    this.#batched = shape.length === 5;
    this.#masked = session.inputs.has(MASK);
    this.#none = this.#tensors(new Float32Array(0), 0, this.#tile);
  }

  /** Undefined for a decoder without a pixel input. */
  static of(session: GraphSession): PixelFeeds | undefined {
    const spec = session.inputs.get(PIXELS);
    return spec === undefined ? undefined : new PixelFeeds(session, spec.shape);
  }

  none(): Tensors {
    return this.#none;
  }

  /** @param images pixels `[tiles, 3, height, width]` each, of one size; concatenated along tiles */
  feeds(images: readonly EngineImage[]): Tensors {
    const [first] = images;
    if (first === undefined) return this.#none;
    const tiles = images.reduce((sum, image) => sum + (image.shape[0] ?? 0), 0);
    const [, channels = 0, height = 0, width = 0] = first.shape;
    return this.#tensors(concatenate(images), tiles, [channels, height, width]);
  }

  #tensors(pixels: Float32Array, tiles: number, tile: TileShape): Tensors {
    const batch = this.#batched ? [1] : [];
    const [, height, width] = tile;
    const feeds: Tensors = { [PIXELS]: new Tensor('float32', pixels, [...batch, tiles, ...tile]) };
    if (this.#masked) {
      const whole = new Uint8Array(tiles * height * width).fill(1);
      feeds[MASK] = new Tensor('bool', whole, [...batch, tiles, height, width]);
    }
    return feeds;
  }
}

function sizeOf(dimension: number | string | undefined): number {
  return typeof dimension === 'number' ? dimension : 1;
}

function concatenate(images: readonly EngineImage[]): Float32Array {
  const [only, second] = images;
  if (only !== undefined && second === undefined) return only.data;
  const all = new Float32Array(images.reduce((sum, image) => sum + image.data.length, 0));
  let offset = 0;
  for (const { data } of images) {
    all.set(data, offset);
    offset += data.length;
  }
  return all;
}
