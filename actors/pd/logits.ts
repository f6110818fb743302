/** The logits of one run, of which each row's last position counts. */
import type { Tensor } from 'onnxruntime-node';
import { halfToNumber } from '../inference/half-precision.ts';

export class Logits {
  readonly #data: Float32Array;
  readonly #positions: number;
  readonly #vocabulary: number;

  /**
   * @param tensor `[rows, positions, vocabulary]`, float32 or float16 (as bit patterns)
   * @throws TypeError for anything else
   */
  constructor(tensor: Tensor | undefined) {
    const [, positions, vocabulary] = tensor?.dims ?? [];
    if (tensor === undefined || positions === undefined || vocabulary === undefined) {
      throw new TypeError('The decoder gave no logits of shape [rows, positions, vocabulary]');
    }
    this.#positions = positions;
    this.#vocabulary = vocabulary;
    this.#data = numbersOf(tensor);
  }

  /** The last position of a row, `[vocabulary]`, no copy: the sampler may change it in place. */
  last(row: number): Float32Array {
    const start = (row * this.#positions + this.#positions - 1) * this.#vocabulary;
    return this.#data.subarray(start, start + this.#vocabulary);
  }
}

function numbersOf({ data, type }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array) return Float32Array.from(data, halfToNumber);
  throw new TypeError(`Logits of type ${type} are not supported`);
}
