/**
 * The KV cache on the GPU, for exports as they come. What a step outputs as `present.*` stays on the GPU and is the
 * next step's past, untouched, as long as nobody joins or leaves; then the batch is put together anew before the next
 * step. Every row has as many places as the longest has tokens:
 *
 *     Concat exports               GroupQueryAttention
 *     . . 1 1 1 | new              1 1 1 new .        the operator writes each row's new token behind its past
 *     1 1 1 1 1 | new              1 1 1 1 1 new
 *
 * So in Concat exports the free places are on the left, and the new token of all rows lies in one column.
 *
 * Where keys and values of several layers are stacked (`stacked-cache.ts`), GroupQueryAttention writes into places that are there
 * already: rows have some to spare, so that the tensors keep their size, and their buffers, for many steps.
 */

import type { GpuMemory } from '../../../inference/gpu/gpu-memory.ts';
import type { Tensors } from '../../../inference/graph-session.ts';
import { Int64Buffer } from '../../../inference/int64-buffer.ts';
import { Tensor } from '../../../inference/onnxruntime.ts';
import type { KvCache, PromptKv } from '../kv-cache.ts';
import { bytesPerToken, type KvPort } from '../kv-signature.ts';
import { GpuAssembly, type GpuRow } from './gpu-assembly.ts';
import { CAREFUL_TOKENS } from './gpu-prompt-check.ts';
import { GpuPromptKv, pastOf } from './gpu-prompt-kv.ts';

/** Rows of stacks have places in multiples of this: that often the batch is copied as it grows. */
const PLACES = 128;

interface Row extends GpuRow {
  length: number;
}

export class GpuKvCache implements KvCache {
  readonly chunked = true;
  readonly batchedPrefill = false;
  readonly fetches: readonly string[];
  readonly #ports: readonly KvPort[];
  readonly #gpu: GpuMemory;
  readonly #assembly: GpuAssembly;
  readonly #grouped: boolean;
  readonly #stacked: boolean;
  readonly #kvs = new Set<GpuPromptKv>();
  readonly #mask = new Int64Buffer();
  #rows: Row[] = [];
  #past: Tensors | undefined;
  #mostTokensPerRun: number;

  private constructor(ports: readonly KvPort[], gpu: GpuMemory, assembly: GpuAssembly, grouped: boolean) {
    this.#ports = ports;
    this.#gpu = gpu;
    this.#assembly = assembly;
    this.#grouped = grouped;
    this.#stacked = ports.some(({ past }) => past.includes('.stack.'));
    this.#mostTokensPerRun = grouped ? CAREFUL_TOKENS : Number.POSITIVE_INFINITY;
    this.fetches = ports.map(({ present }) => present);
  }

  /** @param grouped whether the decoder's attention is GroupQueryAttention */
  static async load(ports: readonly KvPort[], grouped: boolean, gpu: GpuMemory): Promise<GpuKvCache> {
    const assembly = await GpuAssembly.load(ports, grouped ? 'right' : 'left', gpu);
    return new GpuKvCache(ports, gpu, assembly, grouped);
  }

  /** GroupQueryAttention: few, until the device was found to be right about more. */
  get mostTokensPerRun(): number {
    return this.#mostTokensPerRun;
  }

  allowPerRun(tokens: number): void {
    this.#mostTokensPerRun = tokens;
  }

  get rows(): number {
    return this.#rows.length;
  }

  get lengths(): Int32Array {
    return Int32Array.from(this.#rows, ({ length }) => length);
  }

  get bytes(): number {
    const kvs = [...this.#kvs].reduce((sum, { length }) => sum + length, 0);
    return (this.rows * this.#placesFor(this.#longest()) + kvs) * bytesPerToken(this.#ports);
  }

  emptyPast(rows: number, places = 0): Tensors {
    return Object.fromEntries(
      this.#ports.map(({ past, type, heads, headDim }) => {
        const dims = [rows, heads, places, headDim];
        const size = rows * heads * places * headDim;
        return [
          past,
          type === 'float16'
            ? new Tensor('float16', new Uint16Array(size), dims)
            : new Tensor('float32', new Float32Array(size), dims),
        ];
      }),
    );
  }

  openPrompt(promptLength: number): GpuPromptKv {
    // Made wide on the GPU: sent from the host, places of a long prompt would be many megabytes.
    const makeRoom = () => this.#assembly.widen(this.emptyPast(1, 1), this.#placesFor(promptLength));
    const empty = this.emptyPast(1);
    const kv = new GpuPromptKv(this.#ports, this.#gpu, empty, this.#stacked ? makeRoom : undefined);
    this.#kvs.add(kv);
    return kv;
  }

  /** The `PromptKv`'s tensors go into the batch with the next step, into each of its rows. */
  join(kv: PromptKv, rows = 1): void {
    if (!(kv instanceof GpuPromptKv))
      throw new TypeError('The prompt’s keys and values are of another cache');
    this.#kvs.delete(kv);
    for (let copy = 0; copy < rows; copy++) this.#rows.push({ at: kv, length: kv.length });
  }

  drop(kv: PromptKv): void {
    if (kv instanceof GpuPromptKv && this.#kvs.delete(kv)) kv.dispose();
  }

  async stepFeeds(): Promise<Tensors> {
    if (!this.#isInOrder()) await this.#putTogether();
    const width = this.#longest() + 1;
    this.#mask.reset(this.rows * width);
    for (const [row, { length }] of this.#rows.entries()) {
      const first = this.#grouped ? 0 : width - 1 - length;
      for (let i = 0; i <= length; i++) this.#mask.set(row * width + first + i, 1);
    }
    const mask = new Tensor('int64', this.#mask.view(this.rows * width), [this.rows, width]);
    return { ...this.#past, attention_mask: mask };
  }

  advance(outputs: Tensors): void {
    const past = pastOf(outputs, this.#ports);
    this.#forgetBatch();
    this.#past = past;
    for (const row of this.#rows) row.length += 1;
  }

  /** A row would have to be cut out of the batch and put back. */
  rowKv(): undefined {}

  remove(row: number): void {
    const leaving = this.#rows[row];
    const last = this.#rows.pop();
    if (last !== undefined && row < this.#rows.length) this.#rows[row] = last;
    const kv = leaving?.at;
    if (typeof kv === 'object' && !this.#rows.some(({ at }) => at === kv)) kv.dispose();
    if (this.#rows.every(({ at }) => typeof at !== 'number')) this.#forgetBatch();
  }

  /** Nothing to do: a row that leaves is not in the batch of the next step, and free places are written as zeros. */
  scrub(): void {}

  /** Nothing to do: what no row needs is freed when the row leaves, or with the next step. */
  settle(): void {}

  /** As `settle`. */
  trim(): number {
    return 0;
  }

  async release(): Promise<void> {
    for (const kv of this.#kvs) kv.dispose();
    for (const { at } of this.#rows) if (typeof at !== 'number') at.dispose();
    this.#kvs.clear();
    this.#rows = [];
    this.#forgetBatch();
    await this.#assembly.release();
  }

  #longest(): number {
    return this.#rows.reduce((longest, { length }) => Math.max(longest, length), 0);
  }

  /** Places of each row, the longest of which has so many tokens. */
  #placesFor(longest: number): number {
    return this.#stacked ? Math.ceil((longest + 1) / PLACES) * PLACES : longest;
  }

  /** Whether the batch is the rows, in their order, with as many places as they need. */
  #isInOrder(): boolean {
    const [first] = Object.values(this.#past ?? {});
    const fits = first?.dims[0] === this.rows && first.dims[2] === this.#placesFor(this.#longest());
    return fits && this.#rows.every(({ at }, row) => at === row);
  }

  async #putTogether(): Promise<void> {
    const places = this.#placesFor(this.#longest());
    const past = await this.#assembly.assemble(this.#past, this.#rows, places);
    // From here on nothing can fail: only now is the old batch let go of.
    const kept = new Set(Object.values(past));
    this.#gpu.dispose(Object.values(this.#past ?? {}).filter((tensor) => !kept.has(tensor)));
    for (const { at } of this.#rows) {
      if (typeof at !== 'number') {
        this.#gpu.dispose(at.tensors(this.#ports).filter((tensor) => !kept.has(tensor)));
      }
    }
    this.#past = past;
    this.#rows = this.#rows.map(({ length }, row) => ({ at: row, length }));
  }

  #forgetBatch(): void {
    this.#gpu.dispose(Object.values(this.#past ?? {}));
    this.#past = undefined;
  }
}
