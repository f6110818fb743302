/**
 * The image inputs of a decoder that encodes images itself (integrated encoding, as Llama 4 in vLLM): all images of
 * the prompt at its prefill, none at the steps that follow.
 */

import type { ImageTensor } from '../../generation.ts';
import type { GraphSession, Tensors } from '../../inference/graph-session.ts';
import { int64Tensor, joinImageTensors } from '../../inference/image-tensor.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import type { EngineImage } from '../engine-request.ts';

const PIXELS = 'pixel_values';
const MASK = 'pixel_attention_mask';
/** Inputs of a decoder that have nothing to do with images. */
const OF_TEXT =
  /^(input_ids|inputs_embeds|attention_mask|position_ids|token_type_ids|num_logits_to_keep|past_key_values\..*)$/;

export class PixelFeeds {
  readonly #session: GraphSession;
  /** Of the pixels; sizes that the graph leaves open may be anything while there is no image. */
  readonly #shape: readonly (number | string)[];
  readonly #none: Tensors;

  private constructor(session: GraphSession, shape: readonly (number | string)[]) {
    this.#session = session;
    this.#shape = shape;
    // `[1, tiles, channels, height, width]` in exports of the Idefics3 kind, `[tiles, …]` in others.
    const one = shape.slice(shape.length === 5 ? 2 : 1).map(sizeOf);
    this.#none = this.#tensors(new Float32Array(0), [0, ...one], noneOf(session));
  }

  /** Undefined for a decoder without a pixel input. */
  static of(session: GraphSession): PixelFeeds | undefined {
    const spec = session.inputs.get(PIXELS);
    return spec === undefined ? undefined : new PixelFeeds(session, spec.shape);
  }

  none(): Tensors {
    return this.#none;
  }

  /** @param images their pixels, of one size but for their first dimension, along which they are joined */
  feeds(images: readonly EngineImage[]): Tensors {
    const [first] = images;
    if (first === undefined) return this.#none;
    const count = images.reduce((sum, image) => sum + (image.shape[0] ?? 0), 0);
    const [, ...one] = first.shape;
    return this.#tensors(
      concatenate(images),
      [count, ...one],
      joinImageTensors(images.map(({ inputs }) => inputs)),
    );
  }

  #tensors(
    pixels: Float32Array,
    shape: readonly number[],
    inputs: Readonly<Record<string, ImageTensor>>,
  ): Tensors {
    const batch = this.#shape.length === 5 ? [1] : [];
    const feeds: Tensors = { [PIXELS]: new Tensor('float32', pixels, [...batch, ...shape]) };
    if (this.#session.inputs.has(MASK)) {
      const [tiles = 0, , height = 0, width = 0] = shape;
      const whole = new Uint8Array(tiles * height * width).fill(1);
      feeds[MASK] = new Tensor('bool', whole, [...batch, tiles, height, width]);
    }
    for (const [name, tensor] of Object.entries(inputs)) {
      if (this.#session.inputs.has(name)) feeds[name] = int64Tensor(tensor);
    }
    return feeds;
  }
}

/** The further inputs of a vision graph (a grid for each image, say) while there is no image. */
function noneOf({ inputs }: GraphSession): Readonly<Record<string, ImageTensor>> {
  const none: Record<string, ImageTensor> = {};
  for (const [name, { type, shape }] of inputs) {
    if (name === PIXELS || name === MASK || OF_TEXT.test(name) || type !== 'int64') continue;
    none[name] = { shape: [0, ...shape.slice(1).map(sizeOf)], values: [] };
  }
  return none;
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
