/**
 * Token ids to embeddings by the `embed_tokens` graph. An embedding is a function of its id alone, so rows are kept
 * in a table once computed: after a short while a decode step needs no run of the graph at all, and a prefill only
 * for ids that are new.
 */

import type { GraphSession } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import { floatData } from '../../inference/ort-session.ts';

/** Most memory for kept rows. A full table starts anew; at this size that is rare. */
const TABLE_BYTES = 16 * 1024 * 1024;

export class TokenEmbedder {
  readonly hidden: number;
  readonly #session: GraphSession;
  readonly #input: string;
  readonly #output: string;
  readonly #ids = new Int64Buffer();
  readonly #mostRows: number;
  readonly #rowOf = new Map<number, number>();
  #table = new Float32Array(0);

  /** @param session a graph `input_ids int64 [batch, length]` → `[batch, length, hidden]` float32 */
  constructor(session: GraphSession, hidden: number) {
    const [input] = session.inputs.keys();
    const [output] = session.outputs.values();
    if (input === undefined || output?.type !== 'float32') {
      throw new TypeError(`embed_tokens must map ids to float32, not to ${output?.type ?? 'nothing'}`);
    }
    this.#session = session;
    this.#input = input;
    this.#output = output.name;
    this.hidden = hidden;
    this.#mostRows = Math.max(1, Math.floor(TABLE_BYTES / (hidden * Float32Array.BYTES_PER_ELEMENT)));
  }

  /** Bytes of the table. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  /**
   * @param target `[ids.length, hidden]`, written
   * @throws TroupeError `MODEL_RUN_FAILED`, for an id outside the vocabulary
   */
  async embed(ids: Int32Array, target: Float32Array): Promise<void> {
    const missing: number[] = [];
    for (const [position, id] of ids.entries()) {
      const row = this.#rowOf.get(id);
      if (row === undefined) missing.push(position);
      else copyRow(this.#table, row, target, position, this.hidden);
    }
    if (missing.length > 0) await this.#compute(ids, missing, target);
  }

  /** Forgets all rows; returns the bytes freed. */
  clear(): number {
    const freed = this.bytes;
    this.#rowOf.clear();
    this.#table = new Float32Array(0);
    return freed;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #compute(ids: Int32Array, positions: readonly number[], target: Float32Array): Promise<void> {
    const unique = [...new Set(positions.map((position) => ids[position] ?? 0))];
    this.#ids.reset(unique.length);
    for (const [index, id] of unique.entries()) this.#ids.set(index, id);
    const feed = new Tensor('int64', this.#ids.view(unique.length), [1, unique.length]);
    const outputs = await this.#session.run({ [this.#input]: feed }, [this.#output]);
    const rows = floatData(outputs[this.#output]);

    const indexOf = new Map(unique.map((id, index) => [id, index]));
    for (const position of positions) {
      copyRow(rows, indexOf.get(ids[position] ?? 0) ?? 0, target, position, this.hidden);
    }
    for (const [id, index] of indexOf) this.#keep(id, rows, index);
  }

  #keep(id: number, rows: Float32Array, index: number): void {
    if (this.#rowOf.size >= this.#mostRows) this.#rowOf.clear();
    const row = this.#rowOf.size;
    if ((row + 1) * this.hidden > this.#table.length) this.#grow();
    copyRow(rows, index, this.#table, row, this.hidden);
    this.#rowOf.set(id, row);
  }

  #grow(): void {
    const rows = this.#table.length / this.hidden;
    const larger = new Float32Array(Math.min(this.#mostRows, Math.max(64, 2 * rows)) * this.hidden);
    larger.set(this.#table);
    this.#table = larger;
  }
}

function copyRow(source: Float32Array, from: number, target: Float32Array, to: number, width: number): void {
  target.set(source.subarray(from * width, (from + 1) * width), to * width);
}
