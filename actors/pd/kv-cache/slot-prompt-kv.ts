/**
 * The keys and values of a prompt until it is a row of the batch. Run in parts, it is one row in buffers of its own; run
 * whole, it stays in the run's outputs, from which the batch's row is copied. Where another thread runs parts of it, the
 * buffers are shared, and one of the two uses them at a time.
 */
import type { Tensors } from '../../inference/graph-session.ts';
import type { SharedPast } from '../../shared-past.ts';
import type { KvPages, PromptKv } from './kv-cache.ts';
import { capacityFor } from './kv-capacity.ts';
import { bytesPerToken, type KvPort } from './kv-signature.ts';
import { emptyPast, type KvRow, KvSlab } from './kv-slab.ts';
import { rowsOf } from './new-rows.ts';
import type { SpareSlabs } from './spare-slabs.ts';

interface WholeRun {
  readonly outputs: Tensors;
  readonly row: number;
}

export class SlotPromptKv implements PromptKv, KvPages {
  readonly #ports: readonly KvPort[];
  readonly #promptLength: number;
  readonly #isShared: boolean;
  readonly #spare: SpareSlabs | undefined;
  #memory: readonly SharedArrayBuffer[] = [];
  #slabs: readonly KvSlab[] = [];
  #whole: WholeRun | undefined;
  #length = 0;
  #capacity = 0;

  /**
   * @param isShared whether another thread may run parts of the prompt
   * @param spare memory for it, where it is not shared
   */
  constructor(ports: readonly KvPort[], promptLength: number, isShared = false, spare?: SpareSlabs) {
    this.#ports = ports;
    this.#promptLength = promptLength;
    this.#isShared = isShared;
    this.#spare = isShared ? undefined : spare;
  }

  /** A `PromptKv` that goes on with what another thread shares. */
  static over(ports: readonly KvPort[], { memory, capacity, length }: SharedPast): SlotPromptKv {
    const kv = new SlotPromptKv(ports, Number.POSITIVE_INFINITY, true);
    kv.#hold(memory, capacity);
    kv.#length = length;
    return kv;
  }

  /** What another thread needs in order to run the next part; `advance` when it has. */
  share(): SharedPast {
    this.#reserve(this.#promptLength - this.#length);
    return { memory: this.#memory, capacity: this.#capacity, length: this.#length };
  }

  /** Takes what another thread has written of the next `count` tokens. */
  advance(count: number): void {
    this.#length += count;
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#length === 0 ? 0 : this.#capacity;
  }

  get bytes(): number {
    if (this.#whole !== undefined) return this.#length * bytesPerToken(this.#ports);
    return this.#slabs.reduce((sum, slab) => sum + slab.bytes, 0);
  }

  past(): Tensors {
    if (this.#length === 0) return emptyPast(this.#ports, 1);
    return Object.fromEntries(this.#slabs.map((slab) => [slab.port.past, slab.view(1)]));
  }

  take(outputs: Tensors, row: number, count: number): void {
    if (this.#length === 0 && count === this.#promptLength) this.#whole = { outputs, row };
    else {
      this.#reserve(count);
      for (const slab of this.#slabs) {
        const { words, length } = rowsOf(outputs, slab.port);
        // Prompts that are run together are padded on the left: a row's own tokens are its last.
        slab.take(words, length, row, length - count, 0, this.#length, count);
      }
    }
    this.#length += count;
  }

  /** Copies all of it into a row of the batch. */
  copyTo(slab: KvSlab, index: number, row: number): void {
    const { words, length, row: fromRow, from } = this.#rowOf(slab.port, index);
    slab.take(words, length, fromRow, from, row, 0, this.#length);
  }

  /** Hands its memory on: it is not to be used any more. */
  end(): void {
    if (this.#spare === undefined) return;
    this.#spare.give(this.#slabs);
    this.#slabs = [];
  }

  read(from: number, count: number, into?: Uint32Array): Uint32Array {
    const size = count * wordsPerToken(this.#ports);
    const target = into?.length === size ? into : new Uint32Array(size);
    let at = 0;
    for (const [index, port] of this.#ports.entries()) {
      const { words, length, row, from: first } = this.#rowOf(port, index);
      const line = count * port.headDim;
      for (let head = 0; head < port.heads; head++, at += line) {
        const start = ((row * port.heads + head) * length + first + from) * port.headDim;
        target.set(words.subarray(start, start + line), at);
      }
    }
    return target;
  }

  write(words: Uint32Array, count: number): void {
    this.#reserve(count);
    let at = 0;
    for (const slab of this.#slabs) {
      const size = count * wordsPerToken([slab.port]);
      slab.take(words.subarray(at, at + size), count, 0, 0, 0, this.#length, count);
      at += size;
    }
    this.#length += count;
  }

  #rowOf(port: KvPort, index: number): KvRow {
    const slab = this.#slabs[index];
    if (slab !== undefined) return slab.firstRow;
    if (this.#whole === undefined) throw new TypeError('The prompt’s keys and values are empty');
    const { words, length } = rowsOf(this.#whole.outputs, port);
    return { words, length, row: this.#whole.row, from: length - this.#length };
  }

  /** Early parts of a long prompt attend over little: the capacity follows, doubling, up to the whole prompt's. */
  #reserve(count: number): void {
    const most = capacityFor(this.#promptLength);
    if (this.#isShared && this.#slabs.length === 0) {
      // Not moved later, and not as large before it is written.
      const memory = this.#ports.map((port) => new SharedArrayBuffer(most * bytesPerToken([port])));
      this.#hold(memory, most);
    }
    if (this.#slabs.length === 0)
      this.#slabs = this.#spare?.take(most) ?? this.#ports.map((port) => new KvSlab(port, most));
    const needed = this.#length + count;
    if (needed <= this.#capacity) return;
    this.#capacity = Math.min(most, capacityFor(Math.max(needed, 2 * this.#capacity)));
    const lengths = Int32Array.of(this.#length);
    for (const slab of this.#slabs) slab.reshape(1, this.#capacity, lengths);
  }

  #hold(memory: readonly SharedArrayBuffer[], capacity: number): void {
    this.#memory = memory;
    this.#slabs = this.#ports.map((port, index) => new KvSlab(port, capacity, memory[index]));
    this.#capacity = capacity;
  }
}

function wordsPerToken(ports: readonly KvPort[]): number {
  return bytesPerToken(ports) / Uint32Array.BYTES_PER_ELEMENT;
}
