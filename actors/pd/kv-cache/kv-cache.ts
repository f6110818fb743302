/**
 * The KV cache of the running batch: one row per sequence, dense from row 0; and the keys and values of sequences whose prompt
 * is still being run. This interface is the seam between the engine and the ways in which exports hand over their
 * keys and values; the engine never sees a layout.
 */
import type { Tensors } from '../../inference/graph-session.ts';

export interface KvCache {
  /** Sequences held. */
  readonly rows: number;
  /** Tokens held by each row: `lengths[row]`; good until the next call that changes the cache. */
  readonly lengths: Int32Array;
  /** Bytes of the buffers, used or not, kvs included. */
  readonly bytes: number;
  /** Decoder outputs that the cache wants fetched with every run. */
  readonly fetches: readonly string[];
  /** Whether a prompt may be run in several parts. */
  readonly chunked: boolean;
  /** Whether several prompts may share a run. */
  readonly batchedPrefill: boolean;
  /** Most tokens of a prompt in one run. */
  readonly mostTokensPerRun: number;

  /** A past without tokens, for prompts that are run from their first token on. */
  emptyPast(rows: number): Tensors;
  /** Room for the keys and values of a prompt of so many tokens. */
  openPrompt(promptLength: number): PromptKv;
  /** Makes a `PromptKv` the row after the last, or so many of them. The kv is then of no more use. */
  join(kv: PromptKv, rows?: number): void;
  /** Frees a `PromptKv` that will not become a row. */
  drop(kv: PromptKv): void;
  /** The past of all rows and the attention mask for one new token each. */
  stepFeeds(): Tensors | Promise<Tensors>;
  /** Takes the keys and values of that one new token of every row. */
  advance(outputs: Tensors): void;
  /**
   * A row as if it were a prompt that goes on, for a run of several tokens of it alone; good until the next call that changes
   * the cache. Undefined where a row takes one token at a time.
   */
  rowKv(row: number): RowKv | undefined;
  /** Frees a row; the last row moves into it. */
  remove(row: number): void;
  /** Zeroes what no row uses: to be called when a row has left whose numbers were not finite. */
  scrub(): void;
  /** To be called now and then: gives back memory that rows have not needed since it was called last. */
  settle(): void;
  /** Gives back the memory that the held rows do not need; returns the bytes freed. */
  trim(): number;
  /** Frees everything. */
  release(): Promise<void>;
}

/** The keys and values of one prompt, as far as it has been run. */
export interface PromptKv {
  /** Tokens held. */
  readonly length: number;
  /** Places in the past that `past` feeds, used or not. */
  readonly capacity: number;
  /** The past as a run at batch 1 is fed it. */
  past(): Tensors | Promise<Tensors>;
  /** Takes the last `count` tokens of a row of a run's outputs. */
  take(outputs: Tensors, row: number, count: number): void;
}

/** A row of the batch that several tokens are run of at once. */
export interface RowKv extends PromptKv {
  /** Takes the last `count` tokens out again. */
  forget(count: number): void;
}

/** A `PromptKv` whose content can be read and written: what a prefix cache needs. */
export interface KvPages {
  /** Copies `count` tokens from position `from` on out of the `PromptKv`, `into` what was read before if that is as long. */
  read(from: number, count: number, into?: Uint32Array): Uint32Array;
  /** Puts back behind the last token what `read` gave for `count` tokens. */
  write(words: Uint32Array, count: number): void;
}
