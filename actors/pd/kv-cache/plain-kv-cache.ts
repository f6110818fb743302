/**
 * The KV cache for exports as they come: every run outputs `present.*` whole, of which the new tokens' keys and
 * values are copied into buffers kept here. The buffers have one capacity for all rows; since the cost of a step
 * grows with it, it follows the longest row in buckets.
 */

import type { Tensors } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import { KvBuffer, wordsOf } from './kv-buffer.ts';
import type { KvCache, PromptKv } from './kv-cache.ts';
import { type KvLayout, writeStepMask } from './kv-layout.ts';
import type { KvPort } from './kv-signature.ts';

/** Capacity grows in steps of this many tokens: fewer make more reallocations, more make every step dearer. */
const CAPACITY_BUCKET = 16;

export class PlainKvCache implements KvCache {
  readonly chunked = false;
  readonly batchedPrefill = false;
  readonly mostTokensPerRun = Number.POSITIVE_INFINITY;
  readonly fetches: readonly string[];
  readonly #layout: KvLayout;
  readonly #buffers: readonly KvBuffer[];
  readonly #mask = new Int64Buffer();
  readonly #emptyPast: Tensors;
  #lengths = new Int32Array(0);
  #rows = 0;
  #allocatedRows = 0;
  #capacity = 0;
  /** Views of the first `rows` rows: the same at every step until rows join, leave, or the buffers are resized. */
  #pastViews: Tensors | undefined;

  constructor(ports: readonly KvPort[], layout: KvLayout) {
    this.#layout = layout;
    this.#buffers = ports.map((port) => new KvBuffer(port));
    this.fetches = ports.map((port) => port.present);
    this.#emptyPast = this.#views((buffer) => buffer.empty());
  }

  get rows(): number {
    return this.#rows;
  }

  get lengths(): Int32Array {
    return this.#lengths.subarray(0, this.#rows);
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
  }

  /** @param rows 1: these exports cannot run several prompts at once */
  emptyPast(_rows: number): Tensors {
    return { ...this.#emptyPast };
  }

  openPrompt(): PromptKv {
    return new PlainPromptKv(this.#emptyPast);
  }

  join(kv: PromptKv, rows = 1): void {
    if (!(kv instanceof PlainPromptKv))
      throw new TypeError('The prompt’s keys and values are of another cache');
    for (let copy = 0; copy < rows; copy++) this.append(kv.outputs, kv.length);
  }

  drop(): void {}

  /** Nothing to do: a row is cleared when it is given to a sequence. */
  scrub(): void {}

  /** Takes the keys and values of a prefill at batch 1 into a new row after the last. */
  append(outputs: Tensors, length: number): void {
    this.#ensure(this.#rows + 1, Math.max(length, this.#longest()));
    for (const buffer of this.#buffers) {
      buffer.clearRow(this.#rows);
      buffer.take(this.#present(outputs, buffer), length, 0, 0, this.#rows, 0, length);
    }
    this.#lengths[this.#rows] = length;
    this.#rows += 1;
    this.#pastViews = undefined;
  }

  stepFeeds(): Tensors {
    const longest = this.#longest();
    this.#ensure(this.#rows, longest);
    this.#pastViews ??= this.#views((buffer) => buffer.view(this.#rows));
    const width = this.#layout.maskWidth(longest, this.#capacity);
    writeStepMask(this.#mask, this.lengths, this.#capacity, width, this.#layout);
    const mask = new Tensor('int64', this.#mask.view(this.#rows * width), [this.#rows, width]);
    return { ...this.#pastViews, attention_mask: mask };
  }

  advance(outputs: Tensors): void {
    // The row's own place for the new token must exist before it is written.
    const capacity = this.#capacity;
    this.#ensure(this.#rows, this.#longest() + 1);
    const presentCapacity = this.#layout.presentCapacity(capacity);
    for (const buffer of this.#buffers) {
      const present = this.#present(outputs, buffer);
      for (let row = 0; row < this.#rows; row++) {
        const length = this.#lengths[row] ?? 0;
        const from = this.#layout.newPosition(length, capacity);
        buffer.take(present, presentCapacity, row, from, row, length, 1);
      }
    }
    for (let row = 0; row < this.#rows; row++) this.#lengths[row] = (this.#lengths[row] ?? 0) + 1;
  }

  /** What comes out of a run is copied whole: one of several tokens would save little. */
  rowKv(): undefined {}

  remove(row: number): void {
    const last = this.#rows - 1;
    if (row !== last) {
      for (const buffer of this.#buffers) buffer.moveRow(last, row);
      this.#lengths[row] = this.#lengths[last] ?? 0;
    }
    this.#rows = last;
    this.#pastViews = undefined;
  }

  /** Nothing to do: its buffers follow the rows. */
  settle(): void {}

  trim(): number {
    const before = this.bytes;
    this.#resize(this.#rows, this.#rows === 0 ? 0 : this.#bucket(this.#longest()));
    return before - this.bytes;
  }

  /** Nothing to do: it is the collector's. */
  async release(): Promise<void> {}

  #longest(): number {
    let longest = 0;
    for (let row = 0; row < this.#rows; row++) longest = Math.max(longest, this.#lengths[row] ?? 0);
    return longest;
  }

  #bucket(longest: number): number {
    return Math.ceil(this.#layout.capacityFor(longest) / CAPACITY_BUCKET) * CAPACITY_BUCKET;
  }

  /** Grows what is too small; shrinks the capacity once the rows need no more than half of it. */
  #ensure(rows: number, longest: number): void {
    const needed = this.#bucket(longest);
    const fits = needed <= this.#capacity && 2 * needed > this.#capacity;
    if (fits && rows <= this.#allocatedRows) return;
    const allocated =
      rows <= this.#allocatedRows ? this.#allocatedRows : Math.max(rows, 2 * this.#allocatedRows);
    this.#resize(allocated, fits ? this.#capacity : needed);
  }

  #resize(rows: number, capacity: number): void {
    const lengths = this.lengths;
    for (const buffer of this.#buffers) buffer.resize(rows, capacity, lengths);
    this.#lengths = new Int32Array(rows);
    this.#lengths.set(lengths);
    this.#allocatedRows = rows;
    this.#capacity = capacity;
    this.#pastViews = undefined;
  }

  #views(view: (buffer: KvBuffer) => Tensor): Tensors {
    return Object.fromEntries(this.#buffers.map((buffer) => [buffer.port.past, view(buffer)]));
  }

  #present(outputs: Tensors, buffer: KvBuffer): Uint32Array {
    const present = outputs[buffer.port.present];
    if (present === undefined) throw new TypeError(`The decoder did not output ${buffer.port.present}`);
    return wordsOf(present);
  }
}

/** A prompt that was run whole: its `present` outputs, until they are taken into a row. */
class PlainPromptKv implements PromptKv {
  readonly capacity = 0;
  readonly #empty: Tensors;
  length = 0;
  outputs: Tensors = {};

  constructor(empty: Tensors) {
    this.#empty = empty;
  }

  past(): Tensors {
    return { ...this.#empty };
  }

  take(outputs: Tensors, _row: number, count: number): void {
    this.outputs = outputs;
    this.length = count;
  }
}
