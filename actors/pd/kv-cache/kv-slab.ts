/**
 * The keys (or values) of one layer in memory that is reserved once: `[rows, heads, capacity, headDim]`, row-major,
 * so that the first n rows are one contiguous view which onnxruntime reads without a copy.
 *
 *     reserved  ├──────────────────────────────────────────────────────────────┤  address space only
 *     committed ├──────────────────────────────────────┤                          bytes
 *     row 0     │ head 0: used ··free·· │ head 1: …    │ row 1 …
 *
 * Capacity changes move what is used within the same memory: no second buffer, no fresh pages. Copies are made in
 * 32-bit words, so NaNs keep their bits. What is free holds old numbers: finite, unless `scrub` was needed and not called.
 */
import { types } from 'node:util';
import type { Tensors } from '../../inference/graph-session.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import { copyWords } from './copy-words.ts';
import { bytesPerToken, type KvPort } from './kv-signature.ts';

const WORD_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** Where the tokens of one row are. */
export interface KvRow {
  /** `[rows, heads, length, headDim]` */
  readonly words: Uint32Array;
  readonly length: number;
  readonly row: number;
  /** Place of the first token. */
  readonly from: number;
}

export class KvSlab {
  readonly port: KvPort;
  /** Words of one token of one head. */
  readonly tokenWords: number;
  readonly #buffer: ArrayBuffer | SharedArrayBuffer;
  #words: Uint32Array;
  #capacity = 0;

  /**
   * @param mostTokens tokens of all rows together that it can ever hold, free places included
   * @param shared memory for so many tokens of one row, which then has that capacity from the start
   */
  constructor(port: KvPort, mostTokens: number, shared?: SharedArrayBuffer) {
    if (port.type !== 'float32') throw new TypeError(`${port.past} is ${port.type}; slots hold float32`);
    this.port = port;
    this.tokenWords = port.headDim;
    this.#buffer = shared ?? new ArrayBuffer(0, { maxByteLength: mostTokens * bytesPerToken([port]) });
    if (shared !== undefined) this.#capacity = mostTokens;
    this.#words = this.#allWords();
  }

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** Tokens of all rows together that it can ever hold. */
  get mostTokens(): number {
    return this.#buffer.maxByteLength / this.bytesPerToken;
  }

  /** Of one place. */
  get bytesPerToken(): number {
    return bytesPerToken([this.port]);
  }

  /** The first `rows` rows, no copy; good until `reshape`. */
  view(rows: number): Tensor {
    const dims = [rows, this.port.heads, this.#capacity, this.port.headDim];
    return new Tensor('float32', new Float32Array(this.#buffer, 0, rows * this.#rowWords), dims);
  }

  /** One row, no copy; good until `reshape`. */
  rowView(row: number): Tensor {
    const dims = [1, this.port.heads, this.#capacity, this.port.headDim];
    const from = row * this.#rowWords * WORD_BYTES;
    return new Tensor('float32', new Float32Array(this.#buffer, from, this.#rowWords), dims);
  }

  /**
   * Changes the capacity of every row, and keeps the first `lengths[row]` tokens of each.
   *
   * @param rows how many rows there shall be room for
   */
  reshape(rows: number, capacity: number, lengths: Int32Array): void {
    const { heads } = this.port;
    const old = this.#capacity;
    if (capacity > old) this.#commit(rows * heads * capacity * this.tokenWords);
    const lines = lengths.length * heads;
    for (let i = 0; i < lines && old !== capacity; i++) {
      // Growing, lines move up: the last goes first, so that none is overwritten before it has moved.
      const line = capacity > old ? lines - 1 - i : i;
      const words = (lengths[Math.floor(line / heads)] ?? 0) * this.tokenWords;
      const from = line * old * this.tokenWords;
      this.#words.copyWithin(line * capacity * this.tokenWords, from, from + words);
    }
    this.#capacity = capacity;
    this.#commit(rows * this.#rowWords);
  }

  /** Copies `count` tokens of a line of `source` (`length` tokens a line) to position `to` of row `row`. */
  take(
    source: Uint32Array,
    length: number,
    fromRow: number,
    from: number,
    row: number,
    to: number,
    count: number,
  ): void {
    const { heads } = this.port;
    for (let head = 0; head < heads; head++) {
      const start = ((fromRow * heads + head) * length + from) * this.tokenWords;
      const target = ((row * heads + head) * this.#capacity + to) * this.tokenWords;
      copyWords(source, start, this.#words, target, count * this.tokenWords);
    }
  }

  /** Row 0, to be copied from; good until `reshape`. */
  get firstRow(): KvRow {
    return { words: this.#words, length: this.#capacity, row: 0, from: 0 };
  }

  /** Overwrites one row with the first `count` tokens of another. */
  moveRow(from: number, to: number, count: number): void {
    const { heads } = this.port;
    for (let head = 0; head < heads; head++) {
      const start = (from * heads + head) * this.#capacity * this.tokenWords;
      const target = (to * heads + head) * this.#capacity * this.tokenWords;
      this.#words.copyWithin(target, start, start + count * this.tokenWords);
    }
  }

  /** Zeroes every place that no token holds: after numbers that are not finite, which would spread as 0 · NaN. */
  scrub(lengths: Int32Array): void {
    const { heads } = this.port;
    const line = this.#capacity * this.tokenWords;
    for (let row = 0; row < lengths.length; row++) {
      for (let head = 0; head < heads; head++) {
        const start = (row * heads + head) * line;
        this.#words.fill(0, start + (lengths[row] ?? 0) * this.tokenWords, start + line);
      }
    }
    this.#words.fill(0, lengths.length * this.#rowWords);
  }

  /** Gives the system back what lies behind the first `tokens` places of all rows together. */
  shrink(tokens: number): void {
    this.#resize(Math.min(this.#words.length, tokens * this.port.heads * this.tokenWords));
  }

  get #rowWords(): number {
    return this.port.heads * this.#capacity * this.tokenWords;
  }

  #commit(words: number): void {
    if (words > this.#words.length) this.#resize(words);
  }

  #resize(words: number): void {
    if (types.isSharedArrayBuffer(this.#buffer)) throw new TypeError('Shared memory keeps its size');
    this.#buffer.resize(words * WORD_BYTES);
    this.#words = this.#allWords();
  }

  /** Of fixed length: an array that follows its buffer's size is slow to read and write. */
  #allWords(): Uint32Array {
    return new Uint32Array(this.#buffer, 0, this.#buffer.byteLength / WORD_BYTES);
  }
}

const NOTHING = new Float32Array(0);

/** A past without tokens. */
export function emptyPast(ports: readonly KvPort[], rows: number): Tensors {
  return Object.fromEntries(
    ports.map(({ past, heads, headDim }) => [
      past,
      new Tensor('float32', NOTHING, [rows, heads, 0, headDim]),
    ]),
  );
}
