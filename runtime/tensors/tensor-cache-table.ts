/**
 * Where everything lies in the shared memory of a tensor cache, and how a row of it is read and written. Every
 * method needs the cache's lock.
 *
 *     header   ┌──────────┬────────────┬───────────┬───────────────────────────────────────────────┐
 *     (int32)  │ 0: lock  │ 16: changed│ 17: clock │ 32: bytes, kept, hits, misses, evictions as   │
 *              │          │            │           │     float64                                   │
 *              └──────────┴────────────┴───────────┴───────────────────────────────────────────────┘
 *     rows     ┌───────┬──────────┬──────┬────────┬────────────────────────────────────────────────┐
 *     (int32)  │ state │ claimant │ used │ key ×8 │ tensor: entry, generation, place, type, rank,  │
 *              │       │          │      │        │ dimensions ×8                                  │
 *              └───────┴──────────┴──────┴────────┴────────────────────────────────────────────────┘
 *
 * A key is the whole of a 256-bit digest, compared in full: what is found was made from the same content. Rows are
 * few (a thousand) and a search reads them all, one cell each: a microsecond or two, far less than a thread's wake.
 */
import { takeZeroedMemory } from './idle-memory.ts';
import type { SharedTensor } from './shared-tensor.ts';
import { type TensorType, tensorBytes } from './tensor-type.ts';

type Cells = Int32Array<SharedArrayBuffer>;

/** Indices into the header. */
export const LOCK = 0;
export const CHANGED = 16;
const CLOCK = 17;
const COUNTERS = 32;
const HEADER_CELLS = 48;

/** Indices into the counters. */
export const BYTES = 0;
export const KEPT = 1;
export const HITS = 2;
export const MISSES = 3;
export const EVICTIONS = 4;
const COUNTER_COUNT = 5;

const STATE = 0;
const CLAIMANT = 1;
const USED = 2;
const KEY = 3;
const KEY_CELLS = 8;
const ENTRY = 11;
const GENERATION = 12;
const PLACE = 13;
const TYPE = 14;
const RANK = 15;
const DIMENSIONS = 16;
export const MAX_RANK = 8;
const ROW_CELLS = 24;

/** What a row is. */
const EMPTY = 0;
/** Somebody makes its tensor. */
const CLAIMED = 1;
const HAS_TENSOR = 2;
type RowState = typeof EMPTY | typeof CLAIMED | typeof HAS_TENSOR;

/** Tensors begin at blocks, which begin at multiples of this: so a place fits into 32 bits up to 128 GiB. */
const PLACE_UNIT = 64;
const TYPES: readonly TensorType[] = ['float32', 'float16', 'int32', 'int64', 'uint8'];

/** A key as it is compared. */
export type DigestCells = Int32Array;

/** @throws RangeError unless `digest` is 64 hex digits: a shorter one could be that of something else */
export function digestCells(digest: string): DigestCells {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError(`a key is 64 hex digits, got "${digest}"`);
  return Int32Array.from({ length: KEY_CELLS }, (_, at) =>
    Number.parseInt(digest.slice(8 * at, 8 * at + 8), 16),
  );
}

/** Of a cache without content. */
export function cacheMemory(rows: number): SharedArrayBuffer {
  return takeZeroedMemory((HEADER_CELLS + rows * ROW_CELLS) * Int32Array.BYTES_PER_ELEMENT);
}

/** A table without rows that has the counts of another. */
export function headerOnly(memory: SharedArrayBuffer): SharedArrayBuffer {
  const header = new SharedArrayBuffer(HEADER_CELLS * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(header).set(new Int32Array(memory, 0, HEADER_CELLS));
  return header;
}

export class TensorCacheTable {
  readonly header: Cells;
  /** Too large for 32 bits in the long run. */
  readonly counters: Float64Array<SharedArrayBuffer>;
  readonly rows: number;
  readonly #arena: string;
  readonly #cells: Cells;

  /** `arena`: name of the arena that the tensors are in. */
  constructor(memory: SharedArrayBuffer, arena: string) {
    const cells = new Int32Array(memory);
    this.header = cells.subarray(0, HEADER_CELLS);
    this.counters = new Float64Array(memory, COUNTERS * Int32Array.BYTES_PER_ELEMENT, COUNTER_COUNT);
    this.#cells = cells.subarray(HEADER_CELLS);
    this.rows = this.#cells.length / ROW_CELLS;
    this.#arena = arena;
  }

  /** The row of a key, claimed or with its tensor; -1 when there is none. */
  find(key: DigestCells): number {
    for (let row = 0; row < this.rows; row++) {
      if (this.#get(row, KEY) === key[0] && this.state(row) !== EMPTY && this.#hasKey(row, key)) return row;
    }
    return -1;
  }

  state(row: number): RowState {
    return this.#get(row, STATE) as RowState; // written by this class alone
  }

  hasTensor(row: number): boolean {
    return this.state(row) === HAS_TENSOR;
  }

  isClaimedBy(row: number, holder: number): boolean {
    return this.state(row) === CLAIMED && this.#get(row, CLAIMANT) === holder;
  }

  /** An empty row; -1 when there is none. */
  firstEmpty(): number {
    for (let row = 0; row < this.rows; row++) if (this.state(row) === EMPTY) return row;
    return -1;
  }

  /** The row with a tensor whose last use is longest ago; -1 when no row has one. */
  leastRecentlyUsed(): number {
    const now = this.header[CLOCK] ?? 0;
    let oldest = -1;
    let greatestAge = -1;
    for (let row = 0; row < this.rows; row++) {
      if (!this.hasTensor(row)) continue;
      // Right also after the clock has wrapped.
      const age = (now - this.#get(row, USED)) >>> 0;
      if (age > greatestAge) {
        oldest = row;
        greatestAge = age;
      }
    }
    return oldest;
  }

  touch(row: number): void {
    const now = ((this.header[CLOCK] ?? 0) + 1) | 0;
    this.header[CLOCK] = now;
    this.#set(row, USED, now);
  }

  claim(row: number, key: DigestCells, holder: number): void {
    for (let at = 0; at < KEY_CELLS; at++) this.#set(row, KEY + at, key[at] ?? 0);
    this.#set(row, CLAIMANT, holder);
    this.#set(row, STATE, CLAIMED);
  }

  write(row: number, { entry, generation, byteOffset, type, shape }: SharedTensor): void {
    this.#set(row, ENTRY, entry);
    this.#set(row, GENERATION, generation);
    this.#set(row, PLACE, byteOffset / PLACE_UNIT);
    this.#set(row, TYPE, TYPES.indexOf(type));
    this.#set(row, RANK, shape.length);
    for (const [at, dimension] of shape.entries()) this.#set(row, DIMENSIONS + at, dimension);
    this.touch(row);
    this.#set(row, STATE, HAS_TENSOR);
  }

  read(row: number): SharedTensor {
    const type = TYPES[this.#get(row, TYPE)] ?? 'float32';
    const shape = Array.from({ length: this.#get(row, RANK) }, (_, at) => this.#get(row, DIMENSIONS + at));
    return {
      kind: 'shared-tensor',
      arena: this.#arena,
      type,
      shape,
      byteOffset: this.#get(row, PLACE) * PLACE_UNIT,
      byteLength: tensorBytes(type, shape),
      entry: this.#get(row, ENTRY),
      generation: this.#get(row, GENERATION),
    };
  }

  empty(row: number): void {
    this.#set(row, STATE, EMPTY);
  }

  count(counter: number, change: number): void {
    this.counters[counter] = (this.counters[counter] ?? 0) + change;
  }

  #hasKey(row: number, key: DigestCells): boolean {
    for (let at = 0; at < KEY_CELLS; at++) if (this.#get(row, KEY + at) !== key[at]) return false;
    return true;
  }

  #get(row: number, cell: number): number {
    return this.#cells[row * ROW_CELLS + cell] ?? 0;
  }

  #set(row: number, cell: number, value: number): void {
    this.#cells[row * ROW_CELLS + cell] = value;
  }
}
