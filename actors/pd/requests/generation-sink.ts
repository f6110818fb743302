/**
 * Where the engine puts what it generates: the far end of one request's answer stream, as the engine sees it.
 * The engine calls exactly one of `finish` and `fail`, once, and nothing after it.
 */
import type { GenerationSummary, TokenChunk } from '../../generation.ts';

export interface GenerationSink {
  /**
   * Hands a chunk over. False: the consumer has no credit and the chunk was not taken; the engine keeps its text,
   * adds to it, and offers all of it again at a later token or when `onReady` calls back.
   */
  emit(chunk: TokenChunk): boolean;
  /** The answer is complete, all of its text has been taken. */
  finish(summary: GenerationSummary): void;
  fail(error: unknown): void;
  /** True once the consumer wants no more. The engine then spends no further step on it and calls `fail`. */
  readonly cancelled: boolean;
  /** Calls `callback` once, when `emit` may succeed again or the consumer has cancelled. Called only after a false. */
  onReady(callback: () => void): void;
}
