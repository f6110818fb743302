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
import { emptyPast, type KvRow, type KvSlab } from './kv-slab.ts';
import { rowsOf } from './new-rows.ts';
import { type PromptMemory, type PromptPlace, sharedPlace } from './prompt-memory.ts';

interface WholeRun {
  readonly outputs: Tensors;
  readonly row: number;
}

export class SlotPromptKv implements PromptKv, KvPages {
  readonly #ports: readonly KvPort[];
  readonly #promptLength: number;
  readonly #memory: PromptMemory | undefined;
  #place: PromptPlace | undefined;
  #whole: WholeRun | undefined;
  #length = 0;
  #capacity = 0;
  /** Who reads it yet, though it may have ended. */
  #readers = 0;
  #ended = false;

  /** @param memory Default: none, for what lies in another thread's */
  constructor(ports: readonly KvPort[], promptLength: number, memory?: PromptMemory) {
    this.#ports = ports;
    this.#promptLength = promptLength;
    this.#memory = memory;
  }

  /** A `PromptKv` that goes on with what another thread shares. */
  static over(ports: readonly KvPort[], { memory, capacity, length }: SharedPast): SlotPromptKv {
    const kv = new SlotPromptKv(ports, Number.POSITIVE_INFINITY);
    kv.#place = sharedPlace(ports, memory, capacity);
    kv.#capacity = capacity;
    kv.#length = length;
    return kv;
  }

  /** What another thread needs in order to run the next part; `advance` when it has. */
  share(): SharedPast {
    this.#reserve(this.#promptLength - this.#length);
    return { memory: this.#place?.shared ?? [], capacity: this.#capacity, length: this.#length };
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

  /** Hands its memory on, once those have read it who are to: nobody else may use it any more, on no thread. */
  end(): void {
    this.#ended = true;
    this.#handOn();
  }

  /** Keeps its memory, also when it has ended. @returns to be called once, when it has been read */
  toBeRead(): () => void {
    this.#readers += 1;
    return () => {
      this.#readers -= 1;
      this.#handOn();
    };
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

  get #slabs(): readonly KvSlab[] {
    return this.#place?.slabs ?? [];
  }

  /** Early parts of a long prompt attend over little: the capacity follows, doubling, up to the whole prompt's. */
  #reserve(count: number): void {
    const most = capacityFor(this.#promptLength);
    if (this.#place === undefined) {
      this.#place = this.#memory?.take(most);
      // Not moved later, and not as large before it is written.
      if (this.#place?.shared.length) this.#capacity = most;
    }
    const needed = this.#length + count;
    if (needed <= this.#capacity) return;
    this.#capacity = Math.min(most, capacityFor(Math.max(needed, 2 * this.#capacity)));
    const lengths = Int32Array.of(this.#length);
    for (const slab of this.#slabs) slab.reshape(1, this.#capacity, lengths);
  }

  #handOn(): void {
    if (!this.#ended || this.#readers > 0 || this.#place === undefined) return;
    this.#memory?.give(this.#place);
    this.#place = undefined;
  }
}

function wordsPerToken(ports: readonly KvPort[]): number {
  return bytesPerToken(ports) / Uint32Array.BYTES_PER_ELEMENT;
}
