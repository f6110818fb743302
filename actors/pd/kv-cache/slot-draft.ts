/** The keys and values of a prompt while it is run in parts: one row, in buffers of its own. */
import type { Tensors } from '../../inference/graph-session.ts';
import type { KvDraft, KvPages } from './kv-cache.ts';
import { capacityFor } from './kv-capacity.ts';
import type { KvPort } from './kv-signature.ts';
import { KvSlab } from './kv-slab.ts';
import { rowsOf } from './new-rows.ts';

export class SlotDraft implements KvDraft, KvPages {
  readonly slabs: readonly KvSlab[];
  readonly #promptLength: number;
  #length = 0;
  #capacity = 0;

  constructor(ports: readonly KvPort[], promptLength: number) {
    this.#promptLength = promptLength;
    this.slabs = ports.map((port) => new KvSlab(port, capacityFor(promptLength)));
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return this.slabs.reduce((sum, slab) => sum + slab.bytes, 0);
  }

  past(): Tensors {
    return Object.fromEntries(this.slabs.map((slab) => [slab.port.past, slab.view(1)]));
  }

  take(outputs: Tensors, row: number, count: number): void {
    this.#reserve(count);
    for (const slab of this.slabs) {
      const { words, length } = rowsOf(outputs, slab.port);
      // Prompts that are run together are padded on the left: a row's own tokens are its last.
      slab.take(words, length, row, length - count, 0, this.#length, count);
    }
    this.#length += count;
  }

  read(from: number, count: number): Uint32Array {
    const words = new Uint32Array(count * this.#wordsPerToken);
    let at = 0;
    for (const slab of this.slabs) {
      slab.read(from, count, words, at);
      at += count * slab.port.heads * slab.tokenWords;
    }
    return words;
  }

  write(words: Uint32Array, count: number): void {
    this.#reserve(count);
    let at = 0;
    for (const slab of this.slabs) {
      const size = count * slab.port.heads * slab.tokenWords;
      slab.take(words.subarray(at, at + size), count, 0, 0, 0, this.#length, count);
      at += size;
    }
    this.#length += count;
  }

  get #wordsPerToken(): number {
    return this.slabs.reduce((sum, slab) => sum + slab.port.heads * slab.tokenWords, 0);
  }

  /** Early parts of a long prompt attend over little: the capacity follows, doubling, up to the whole prompt's. */
  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#capacity) return;
    const most = capacityFor(this.#promptLength);
    this.#capacity = Math.min(most, capacityFor(Math.max(needed, 2 * this.#capacity)));
    const lengths = Int32Array.of(this.#length);
    for (const slab of this.slabs) slab.reshape(1, this.#capacity, lengths);
  }
}
