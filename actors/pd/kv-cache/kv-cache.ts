/**
 * The KV cache of the running batch: one row per sequence, dense from row 0. This interface is the seam between
 * the engine and the ways in which exports hand over their keys and values; the engine never sees a layout.
 */
import type { Tensors } from '../../inference/graph-session.ts';

export interface KvCache {
  /** Sequences held. */
  readonly rows: number;
  /** Tokens held by each row: `lengths[row]`; good until the next call that changes the cache. */
  readonly lengths: Int32Array;
  /** Bytes of the buffers, used or not. */
  readonly bytes: number;
  /** Decoder outputs that the cache wants fetched with every run. */
  readonly fetches: readonly string[];

  /** The past of a sequence that has none: what the prefill feeds, attention mask left out. */
  emptyPast(): Tensors;
  /** Takes the keys and values of a prefill at batch 1 into a new row after the last. */
  append(outputs: Tensors, length: number): void;
  /** The past of all rows and the attention mask for one new token each. */
  stepFeeds(): Tensors;
  /** Takes the keys and values of that one new token of every row. */
  advance(outputs: Tensors): void;
  /** Frees a row; the last row moves into it. */
  remove(row: number): void;
  /** Gives back the memory that the held rows do not need; returns the bytes freed. */
  trim(): number;
}
