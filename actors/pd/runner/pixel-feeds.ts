/**
 * The image inputs of a decoder that encodes images itself (integrated encoding, as Llama 4 in vLLM): all images of
 * the prompt at its prefill, none at the steps that follow.
 */

import type { ImageTensor } from '../../generation.ts';
import type { GraphSession, Tensors } from '../../inference/graph-session.ts';
import { imageFeeds, joinImageTensors, PIXEL_MASK, PIXELS } from '../../inference/image-tensor.ts';
import type { EngineImage } from '../engine-request.ts';

/** Inputs of a decoder that have nothing to do with images. */
const OF_TEXT =
  /^(input_ids|inputs_embeds|attention_mask|position_ids|token_type_ids|num_logits_to_keep|past_key_values\..*)$/;

export class PixelFeeds {
  readonly #session: GraphSession;
  readonly #none: Tensors;

  private constructor(session: GraphSession, shape: readonly (number | string)[]) {
    this.#session = session;
    // `[1, tiles, channels, height, width]` in exports of the Idefics3 kind, `[tiles, …]` in others. Sizes that the graph
    // leaves open may be anything while there is no image.
    const one = shape.slice(shape.length === 5 ? 2 : 1).map(sizeOf);
    const none = { pixels: new Float32Array(0), shape: [0, ...one], inputs: noneOf(session) };
    this.#none = imageFeeds(session, none);
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
    const inputs = joinImageTensors(images.map((image) => image.inputs));
    return imageFeeds(this.#session, { pixels: concatenate(images), shape: [count, ...one], inputs });
  }
}

/** The further inputs of a vision graph (a grid for each image, say) while there is no image. */
function noneOf({ inputs }: GraphSession): Readonly<Record<string, ImageTensor>> {
  const none: Record<string, ImageTensor> = {};
  for (const [name, { type, shape }] of inputs) {
    if (name === PIXELS || name === PIXEL_MASK || OF_TEXT.test(name) || type !== 'int64') continue;
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
