/**
 * The KV cache for rewritten decoders: slots in memory that is reserved once, fed as views, into which each step's
 * new keys and values are copied and nothing else. All rows have one capacity; it follows the longest row.
 */

import type { Tensors } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import type { KvCache, PromptKv, RowKv } from './kv-cache.ts';
import { capacityFor } from './kv-capacity.ts';
import { CONCAT_LAYOUT, writeStepMask } from './kv-layout.ts';
import type { KvPort } from './kv-signature.ts';
import { emptyPast, KvSlab } from './kv-slab.ts';
import { rowsOf, stepRowsOf } from './new-rows.ts';
import { PromptMemory } from './prompt-memory.ts';
import { SlotPromptKv } from './slot-prompt-kv.ts';

export class SlotKvCache implements KvCache {
  readonly chunked = true;
  readonly batchedPrefill = true;
  readonly mostTokensPerRun = Number.POSITIVE_INFINITY;
  readonly fetches: readonly string[];
  readonly #ports: readonly KvPort[];
  readonly #slabs: readonly KvSlab[];
  readonly #mask = new Int64Buffer();
  readonly #kvs = new Set<SlotPromptKv>();
  readonly #promptMemory: PromptMemory;
  readonly #mostTokens: number;
  #lengths = new Int32Array(16);
  #rows = 0;
  #capacity = 0;
  /** Places of all rows together that were needed at most since `settle` was called. */
  #needed = 0;
  /** Views of the first `rows` rows: the same at every step until rows join, leave, or the capacity changes. */
  #pastViews: Tensors | undefined;

  /**
   * @param mostTokens tokens of all rows together, free places included; see `kv-budget.ts`
   * @param sharedPrompts whether other threads run parts of prompts
   */
  constructor(ports: readonly KvPort[], mostTokens: number, sharedPrompts = false) {
    this.#ports = ports;
    this.#mostTokens = mostTokens;
    this.#slabs = ports.map((port) => new KvSlab(port, mostTokens));
    this.#promptMemory = new PromptMemory(ports, sharedPrompts);
    this.fetches = ports.map((port) => port.present);
  }

  get rows(): number {
    return this.#rows;
  }

  get lengths(): Int32Array {
    return this.#lengths.subarray(0, this.#rows);
  }

  get bytes(): number {
    const kvs = [...this.#kvs].reduce((sum, kv) => sum + kv.bytes, 0);
    return this.#slabs.reduce((sum, slab) => sum + slab.bytes, kvs + this.#promptMemory.bytes);
  }

  emptyPast(rows: number): Tensors {
    return emptyPast(this.#ports, rows);
  }

  openPrompt(promptLength: number): SlotPromptKv {
    const kv = new SlotPromptKv(this.#ports, promptLength, this.#promptMemory);
    this.#kvs.add(kv);
    return kv;
  }

  join(kv: PromptKv, rows = 1): void {
    if (!(kv instanceof SlotPromptKv))
      throw new TypeError('The prompt’s keys and values are of another cache');
    this.#ensure(this.#rows + rows, Math.max(kv.length, this.#longest()));
    for (let copy = 0; copy < rows; copy++) {
      for (const [index, slab] of this.#slabs.entries()) kv.copyTo(slab, index, this.#rows);
      this.#setLength(this.#rows, kv.length);
      this.#rows += 1;
    }
    this.#pastViews = undefined;
    this.drop(kv);
    kv.end();
  }

  drop(kv: PromptKv): void {
    if (kv instanceof SlotPromptKv) this.#kvs.delete(kv);
  }

  stepFeeds(): Tensors {
    this.#pastViews ??= Object.fromEntries(
      this.#slabs.map((slab) => [slab.port.past, slab.view(this.#rows)]),
    );
    const width = CONCAT_LAYOUT.maskWidth(this.#longest(), this.#capacity);
    writeStepMask(this.#mask, this.lengths, this.#capacity, width, CONCAT_LAYOUT);
    const mask = new Tensor('int64', this.#mask.view(this.#rows * width), [this.#rows, width]);
    return { ...this.#pastViews, attention_mask: mask };
  }

  advance(outputs: Tensors): void {
    this.#ensure(this.#rows, this.#longest() + 1);
    for (const [index, slab] of this.#slabs.entries()) {
      const { words, length, firstRow } = stepRowsOf(outputs, slab.port, index, this.#rows);
      for (let row = 0; row < this.#rows; row++) {
        slab.take(words, length, firstRow + row, length - 1, row, this.#lengths[row] ?? 0, 1);
      }
    }
    for (let row = 0; row < this.#rows; row++) this.#setLength(row, (this.#lengths[row] ?? 0) + 1);
  }

  rowKv(row: number): RowKv {
    const length = this.#lengths[row] ?? 0;
    return {
      length,
      capacity: this.#capacity,
      past: () => Object.fromEntries(this.#slabs.map((slab) => [slab.port.past, slab.rowView(row)])),
      take: (outputs, fromRow, count) => {
        this.#ensure(this.#rows, Math.max(length + count, this.#longest()));
        for (const slab of this.#slabs) {
          const { words, length: held } = rowsOf(outputs, slab.port);
          slab.take(words, held, fromRow, held - count, row, length, count);
        }
        this.#setLength(row, length + count);
      },
      // What they leave behind is masked, and overwritten by what comes.
      forget: (count) => this.#setLength(row, (this.#lengths[row] ?? 0) - count),
    };
  }

  remove(row: number): void {
    const last = this.#rows - 1;
    const length = this.#lengths[last] ?? 0;
    if (row !== last) {
      for (const slab of this.#slabs) slab.moveRow(last, row, length);
      this.#setLength(row, length);
    }
    this.#rows = last;
    this.#pastViews = undefined;
    this.#shrinkCapacity();
  }

  scrub(): void {
    for (const slab of this.#slabs) slab.scrub(this.lengths);
    this.#promptMemory.clear();
  }

  settle(): void {
    this.#promptMemory.settle();
    const reserved = (this.#slabs[0]?.bytes ?? 0) / (this.#slabs[0]?.bytesPerToken ?? 1);
    // Half of it at a time: giving back half a gigabyte takes longer than a step.
    const kept = Math.max(this.#needed, Math.ceil(reserved / 2));
    if (kept < reserved) for (const slab of this.#slabs) slab.shrink(kept);
    this.#needed = this.#rows * this.#capacity;
  }

  trim(): number {
    const before = this.bytes;
    this.#promptMemory.clear();
    this.#reshape(this.#rows, capacityFor(this.#longest()));
    this.#needed = this.#rows * this.#capacity;
    for (const slab of this.#slabs) slab.shrink(this.#needed);
    this.#pastViews = undefined;
    return before - this.bytes;
  }

  /** Nothing to do: it is the collector's. */
  async release(): Promise<void> {}

  #longest(): number {
    let longest = 0;
    for (let row = 0; row < this.#rows; row++) longest = Math.max(longest, this.#lengths[row] ?? 0);
    return longest;
  }

  #ensure(rows: number, longest: number): void {
    const needed = capacityFor(longest);
    const kept = Math.max(this.#capacity, needed);
    this.#reshape(rows, rows * kept <= this.#mostTokens ? kept : needed);
  }

  /** Once the longest row has left, the others need not pay for its capacity. */
  #shrinkCapacity(): void {
    const needed = capacityFor(this.#longest());
    if (this.#rows > 0 && 4 * needed <= 3 * this.#capacity) this.#reshape(this.#rows, needed);
    else if (this.#rows === 0) this.#reshape(0, 0);
  }

  #reshape(rows: number, capacity: number): void {
    for (const slab of this.#slabs) slab.reshape(rows, capacity, this.lengths);
    if (capacity !== this.#capacity || rows > this.#rows) this.#pastViews = undefined;
    this.#capacity = capacity;
    this.#needed = Math.max(this.#needed, rows * capacity);
  }

  #setLength(row: number, length: number): void {
    if (row >= this.#lengths.length) {
      const longer = new Int32Array(2 * this.#lengths.length);
      longer.set(this.#lengths);
      this.#lengths = longer;
    }
    this.#lengths[row] = length;
  }
}
