/**
 * The keys (or values) of one layer for all rows: `[rows, heads, capacity, headDim]`, row-major, so that the first
 * n rows of it are one contiguous view which onnxruntime reads without a copy.
 *
 * All copies are made in 32-bit words, whatever the element type: it is one code for float32 and float16, and a
 * NaN's bits stay as they are.
 */
import { Tensor } from '../../inference/onnxruntime.ts';
import { copyWords } from './copy-words.ts';
import type { KvPort } from './kv-signature.ts';

export class KvBuffer {
  readonly port: KvPort;
  /** Words of one token of one head. */
  readonly #tokenWords: number;
  #words = new Uint32Array(0);
  #capacity = 0;

  constructor(port: KvPort) {
    this.port = port;
    this.#tokenWords = (port.headDim * (port.type === 'float32' ? 4 : 2)) / 4;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** A past of no tokens, for one row. */
  empty(): Tensor {
    return this.#tensor(0, 1, 0);
  }

  /** The first `rows` rows, no copy; good until `resize`. */
  view(rows: number): Tensor {
    return this.#tensor(rows * this.#rowWords, rows, this.#capacity);
  }

  /** Changes both dimensions, and keeps the first `lengths[row]` tokens of each row. */
  resize(rows: number, capacity: number, lengths: Int32Array): void {
    const { heads } = this.port;
    const old = this.#words;
    const oldCapacity = this.#capacity;
    this.#capacity = capacity;
    this.#words = new Uint32Array(rows * this.#rowWords);
    for (let row = 0; row < lengths.length; row++) {
      for (let head = 0; head < heads; head++) {
        const from = (row * heads + head) * oldCapacity * this.#tokenWords;
        const to = (row * heads + head) * capacity * this.#tokenWords;
        copyWords(old, from, this.#words, to, (lengths[row] ?? 0) * this.#tokenWords);
      }
    }
  }

  /**
   * Copies `count` tokens of row `fromRow` of an output `[?, heads, outputCapacity, headDim]`, from position `from`
   * on, to position `to` of row `row`.
   */
  take(
    output: Uint32Array,
    outputCapacity: number,
    fromRow: number,
    from: number,
    row: number,
    to: number,
    count: number,
  ): void {
    const { heads } = this.port;
    for (let head = 0; head < heads; head++) {
      const source = ((fromRow * heads + head) * outputCapacity + from) * this.#tokenWords;
      const target = ((row * heads + head) * this.#capacity + to) * this.#tokenWords;
      copyWords(output, source, this.#words, target, count * this.#tokenWords);
    }
  }

  /**
   * Zeroes a row. A new sequence needs it: masked places weigh 0, but 0 · NaN is NaN, so a row whose last owner
   * overflowed would poison its next one.
   */
  clearRow(row: number): void {
    this.#words.fill(0, row * this.#rowWords, (row + 1) * this.#rowWords);
  }

  /** Overwrites one row with another. */
  moveRow(from: number, to: number): void {
    this.#words.copyWithin(to * this.#rowWords, from * this.#rowWords, (from + 1) * this.#rowWords);
  }

  get #rowWords(): number {
    return this.port.heads * this.#capacity * this.#tokenWords;
  }

  #tensor(words: number, rows: number, capacity: number): Tensor {
    const { buffer } = this.#words;
    const dims = [rows, this.port.heads, capacity, this.port.headDim];
    if (this.port.type === 'float32') return new Tensor('float32', new Float32Array(buffer, 0, words), dims);
    return new Tensor('float16', new Uint16Array(buffer, 0, 2 * words), dims);
  }
}

/** The data of an output as 32-bit words, no copy. */
export function wordsOf(tensor: Tensor): Uint32Array {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data)) throw new TypeError(`Expected numbers, got ${tensor.type}`);
  return new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}
