/** What image plans make as the inputs of a graph. */
import type { ImageTensor } from '../generation.ts';
import type { GraphSession, Tensors } from './graph-session.ts';
import { Tensor } from './onnxruntime.ts';

export const PIXELS = 'pixel_values';
/** Of tiles, `[…, tiles, height, width]`, bool; all of a tile counts. */
export const PIXEL_MASK = 'pixel_attention_mask';

/** The pixels and small inputs of images, of which a graph may leave out some. */
export interface ImageInputs {
  /** Normalized, `shape` flat; may view shared memory. */
  readonly pixels: Float32Array;
  /** `[parts, …]`; a graph that declares a dimension more is given a batch of one. */
  readonly shape: readonly number[];
  readonly inputs: Readonly<Record<string, ImageTensor>>;
}

export function imageFeeds(
  graph: Pick<GraphSession, 'inputs'>,
  { pixels, shape, inputs }: ImageInputs,
): Tensors {
  const batch = graph.inputs.get(PIXELS)?.shape.length === shape.length + 1 ? [1] : [];
  const feeds: Tensors = { [PIXELS]: new Tensor('float32', pixels, [...batch, ...shape]) };
  if (graph.inputs.has(PIXEL_MASK)) {
    const [tiles = 0, , height = 0, width = 0] = shape;
    const whole = new Uint8Array(tiles * height * width).fill(1);
    feeds[PIXEL_MASK] = new Tensor('bool', whole, [...batch, tiles, height, width]);
  }
  for (const [name, tensor] of Object.entries(inputs)) {
    if (graph.inputs.has(name)) feeds[name] = int64Tensor(tensor);
  }
  return feeds;
}

function int64Tensor({ shape, values }: ImageTensor): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

/** Those of several images for one run: below each other along the first dimension. */
export function joinImageTensors(
  all: readonly Readonly<Record<string, ImageTensor>>[],
): Readonly<Record<string, ImageTensor>> {
  const joined: Record<string, ImageTensor> = {};
  for (const inputs of all) {
    for (const [name, { shape, values }] of Object.entries(inputs)) {
      const before = joined[name];
      const [count = 0, ...rest] = shape;
      joined[name] =
        before === undefined
          ? { shape, values }
          : { shape: [(before.shape[0] ?? 0) + count, ...rest], values: [...before.values, ...values] };
    }
  }
  return joined;
}
