/** The logits of one run, of which each row's last position counts. */
import { types } from 'node:util';
import type { TensorSpec } from '../../inference/graph-session.ts';
import type { Tensor } from '../../inference/onnxruntime.ts';
import { halvesToNumbers } from '../../model/onnx/half-to-number.ts';

/**
 * To be asked before a graph is run: a run whose logits nobody can read leaves its keys and values behind.
 *
 * @throws TypeError when a decoder's logits are not what `Logits` reads
 */
export function checkLogits(spec: TensorSpec | undefined): void {
  const { type, shape } = spec ?? {};
  if (shape?.length === 3 && (type === 'float32' || type === 'float16')) return;
  const what = spec === undefined ? 'none' : `${type} [${shape?.join(', ')}]`;
  throw new TypeError(`logits must be floats [rows, positions, vocabulary], there are ${what}`);
}

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
  if (types.isFloat32Array(data)) return data;
  if (types.isUint16Array(data)) return halvesToNumbers(data);
  throw new TypeError(`Logits of type ${type} are not supported`);
}
