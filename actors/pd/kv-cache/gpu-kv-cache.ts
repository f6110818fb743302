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
 */
import { Tensor } from 'onnxruntime-node';
import type { GpuMemory } from '../../gpu/gpu-memory.ts';
import type { Tensors } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { CAREFUL_TOKENS } from '../gpu-prompt-check.ts';
import { GpuBatch } from './gpu-batch.ts';
import { GpuDraft, pastOf } from './gpu-draft.ts';
import type { KvCache, KvDraft } from './kv-cache.ts';
import { bytesPerToken, type KvPort } from './kv-signature.ts';

/** Where a row's keys and values are: in the batch, or still by themselves. */
interface Row {
  readonly at: number | GpuDraft;
  length: number;
}

export class GpuKvCache implements KvCache {
  readonly chunked = true;
  readonly together = false;
  readonly fetches: readonly string[];
  readonly #ports: readonly KvPort[];
  readonly #gpu: GpuMemory;
  readonly #batch: GpuBatch;
  readonly #grouped: boolean;
  readonly #drafts = new Set<GpuDraft>();
  readonly #mask = new Int64Buffer();
  #rows: Row[] = [];
  #past: Tensors | undefined;
  #mostTokensPerRun: number;

  private constructor(ports: readonly KvPort[], gpu: GpuMemory, batch: GpuBatch, grouped: boolean) {
    this.#ports = ports;
    this.#gpu = gpu;
    this.#batch = batch;
    this.#grouped = grouped;
    this.#mostTokensPerRun = grouped ? CAREFUL_TOKENS : Number.POSITIVE_INFINITY;
    this.fetches = ports.map(({ present }) => present);
  }

  /** @param grouped whether the decoder's attention is GroupQueryAttention */
  static async load(ports: readonly KvPort[], grouped: boolean, gpu: GpuMemory): Promise<GpuKvCache> {
    const [port] = ports;
    const free = grouped ? 'right' : 'left';
    return new GpuKvCache(ports, gpu, await GpuBatch.load(port?.type ?? 'float32', free, gpu), grouped);
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
    const drafts = [...this.#drafts].reduce((sum, { length }) => sum + length, 0);
    return (this.rows * this.#longest() + drafts) * bytesPerToken(this.#ports);
  }

  emptyPast(rows: number): Tensors {
    return Object.fromEntries(
      this.#ports.map(({ past, type, heads, headDim }) => {
        const dims = [rows, heads, 0, headDim];
        return [
          past,
          type === 'float16'
            ? new Tensor('float16', new Uint16Array(0), dims)
            : new Tensor('float32', new Float32Array(0), dims),
        ];
      }),
    );
  }

  draft(): GpuDraft {
    const draft = new GpuDraft(this.#ports, this.#gpu, this.emptyPast(1));
    this.#drafts.add(draft);
    return draft;
  }

  /** The draft's tensors go into the batch with the next step. */
  join(draft: KvDraft): void {
    if (!(draft instanceof GpuDraft)) throw new TypeError('The draft is of another cache');
    this.#drafts.delete(draft);
    this.#rows.push({ at: draft, length: draft.length });
  }

  drop(draft: KvDraft): void {
    if (draft instanceof GpuDraft && this.#drafts.delete(draft)) draft.dispose();
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

  remove(row: number): void {
    const leaving = this.#rows[row];
    const last = this.#rows.pop();
    if (last !== undefined && row < this.#rows.length) this.#rows[row] = last;
    if (leaving !== undefined && typeof leaving.at !== 'number') leaving.at.dispose();
    if (this.#rows.every(({ at }) => typeof at !== 'number')) this.#forgetBatch();
  }

  /** Nothing to do: a row that leaves is not in the batch of the next step, and free places are written as zeros. */
  scrub(): void {}

  /** Nothing to do: what no row needs is freed when the row leaves, or with the next step. */
  trim(): number {
    return 0;
  }

  async release(): Promise<void> {
    for (const draft of this.#drafts) draft.dispose();
    for (const { at } of this.#rows) if (typeof at !== 'number') at.dispose();
    this.#drafts.clear();
    this.#rows = [];
    this.#forgetBatch();
    await this.#batch.release();
  }

  #longest(): number {
    return this.#rows.reduce((longest, { length }) => Math.max(longest, length), 0);
  }

  /** Whether the batch is the rows, in their order, with no place that is free in all of them. */
  #isInOrder(): boolean {
    const [first] = Object.values(this.#past ?? {});
    const fits = first?.dims[0] === this.rows && first.dims[2] === this.#longest();
    return fits && this.#rows.every(({ at }, row) => at === row);
  }

  async #putTogether(): Promise<void> {
    const past: Tensors = {};
    try {
      for (const [index, port] of this.#ports.entries()) past[port.past] = await this.#rowsOf(port, index);
    } catch (error) {
      this.#gpu.dispose(Object.values(past));
      throw error;
    }
    // From here on nothing can fail: only now is the old batch let go of.
    const kept = new Set(Object.values(past));
    this.#gpu.dispose(Object.values(this.#past ?? {}).filter((tensor) => !kept.has(tensor)));
    for (const { at } of this.#rows) {
      if (typeof at !== 'number') this.#gpu.dispose(at.tensors().filter((tensor) => !isIn(kept, tensor)));
    }
    this.#past = past;
    this.#rows = this.#rows.map(({ length }, row) => ({ at: row, length }));
  }

  /** One port's keys or values of all rows: those of the batch first, as the graphs want them, then put in order. */
  async #rowsOf(port: KvPort, index: number): Promise<Tensor> {
    const { past } = port;
    const batched = this.#rows.flatMap(({ at }) => (typeof at === 'number' ? [at] : []));
    const longest = Math.max(0, ...this.#rows.map(({ at, length }) => (typeof at === 'number' ? length : 0)));
    const pieces: Tensor[] = [];
    const made: Tensor[] = [];
    try {
      const batch = this.#past?.[past];
      if (batch !== undefined && batched.length > 0) {
        const isWhole = batched.length === batch.dims[0] && batched.every((at, row) => at === row);
        const fits = isWhole && batch.dims[2] === longest;
        const picked = fits ? batch : await this.#batch.pick(batch, batched, longest);
        if (!fits) made.push(picked);
        pieces.push(picked);
      }
      for (const { at } of this.#rows) {
        const tensor = typeof at === 'number' ? undefined : at.tensors()[index];
        if (tensor !== undefined) pieces.push(tensor);
      }
      let [all] = pieces;
      for (const piece of pieces.slice(1)) {
        if (all === undefined) break;
        all = await this.#batch.stack(all, piece);
        made.push(all);
      }
      if (all === undefined) throw new TypeError(`${past} has no rows`);
      const order = this.#orderAfterStacking();
      if (!order.every((at, row) => at === row)) {
        all = await this.#batch.pick(all, order, all.dims[2] ?? 0);
        made.push(all);
      }
      const result = all;
      this.#gpu.dispose(made.filter((tensor) => tensor !== result));
      return result;
    } catch (error) {
      this.#gpu.dispose(made);
      throw error;
    }
  }

  /** For each row, where it is once the batch's rows and then the drafts are stacked. */
  #orderAfterStacking(): number[] {
    let inBatch = 0;
    let inDrafts = this.#rows.filter(({ at }) => typeof at === 'number').length;
    return this.#rows.map(({ at }) => (typeof at === 'number' ? inBatch++ : inDrafts++));
  }

  #forgetBatch(): void {
    this.#gpu.dispose(Object.values(this.#past ?? {}));
    this.#past = undefined;
  }
}

function isIn(kept: ReadonlySet<Tensor>, tensor: Tensor | undefined): boolean {
  return tensor !== undefined && kept.has(tensor);
}
