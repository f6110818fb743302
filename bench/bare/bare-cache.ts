/** What a bare loop does with keys and values between two runs. */
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelGeometry } from '../../actors/model/geometry.ts';

export type Tensors = Record<string, Tensor>;

export interface BareCache {
  /** Forgets everything; `capacity` tokens of each row will be enough. */
  reset(rows: number, capacity: number): void;
  /** `past_key_values.*` and `attention_mask` for a run of so many new tokens in each row. */
  feeds(newTokens: number): Tensors;
  /** Keeps what a run has added. */
  take(outputs: Tensors, newTokens: number): void;
}

type Geometry = Pick<ModelGeometry, 'layers' | 'kvHeads' | 'headDim'>;

export function cacheNames({ layers }: Geometry): string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
}

/** The textbook way, for graphs as they come: `present.*`, fetched whole or left on the GPU, is the next run's past. */
export class GrowingCache implements BareCache {
  readonly #geometry: Geometry;
  #past: Tensors = {};
  #rows = 0;
  #length = 0;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
  }

  reset(rows: number): void {
    const { kvHeads, headDim } = this.#geometry;
    this.#rows = rows;
    this.#length = 0;
    for (const tensor of Object.values(this.#past)) letGo(tensor);
    const empty = () => new Tensor('float32', new Float32Array(0), [rows, kvHeads, 0, headDim]);
    this.#past = Object.fromEntries(
      cacheNames(this.#geometry).map((name) => [`past_key_values.${name}`, empty()]),
    );
  }

  feeds(newTokens: number): Tensors {
    const width = this.#length + newTokens;
    const mask = new BigInt64Array(this.#rows * width).fill(1n);
    return { ...this.#past, attention_mask: new Tensor('int64', mask, [this.#rows, width]) };
  }

  take(outputs: Tensors, newTokens: number): void {
    this.#length += newTokens;
    for (const name of cacheNames(this.#geometry)) {
      letGo(this.#past[`past_key_values.${name}`]);
      this.#past[`past_key_values.${name}`] = outputOf(outputs, `present.${name}`);
    }
  }
}

/** For rewritten graphs: buffers that stay where they are, into which only the new rows are written. */
export class SlotCache implements BareCache {
  readonly #geometry: Geometry;
  readonly #buffers = new Map<string, Float32Array>();
  #rows = 0;
  #capacity = 0;
  #length = 0;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
  }

  reset(rows: number, capacity: number): void {
    const { kvHeads, headDim } = this.#geometry;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#length = 0;
    const floats = rows * kvHeads * capacity * headDim;
    for (const name of cacheNames(this.#geometry)) {
      const buffer = this.#buffers.get(name);
      if (buffer?.length !== floats) this.#buffers.set(name, new Float32Array(floats));
    }
  }

  feeds(newTokens: number): Tensors {
    const { kvHeads, headDim } = this.#geometry;
    // Before the first run there is nothing to look at.
    const capacity = this.#length === 0 ? 0 : this.#capacity;
    const dims = [this.#rows, kvHeads, capacity, headDim];
    const feeds: Tensors = {};
    for (const [name, buffer] of this.#buffers) {
      const view = capacity === 0 ? buffer.subarray(0, 0) : buffer;
      feeds[`past_key_values.${name}`] = new Tensor('float32', view, dims);
    }
    const width = capacity + newTokens;
    const mask = new BigInt64Array(this.#rows * width).fill(1n);
    for (let row = 0; row < this.#rows; row++)
      mask.fill(0n, row * width + this.#length, row * width + capacity);
    return { ...feeds, attention_mask: new Tensor('int64', mask, [this.#rows, width]) };
  }

  take(outputs: Tensors, newTokens: number): void {
    const { kvHeads, headDim } = this.#geometry;
    const width = newTokens * headDim;
    for (const [name, buffer] of this.#buffers) {
      const fresh = floatsOf(outputOf(outputs, `new.${name}`));
      for (let head = 0; head < this.#rows * kvHeads; head++) {
        const target = (head * this.#capacity + this.#length) * headDim;
        buffer.set(fresh.subarray(head * width, (head + 1) * width), target);
      }
    }
    this.#length += newTokens;
  }
}

function letGo(tensor: Tensor | undefined): void {
  if (tensor?.location === 'gpu-buffer') tensor.dispose();
}

export function outputOf(outputs: Tensors, name: string): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`the graph has no output ${name}`);
  return tensor;
}

export function floatsOf({ data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError('the graph does not compute in float32');
}
