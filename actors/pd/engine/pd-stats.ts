import type { PrefixCacheStats } from '../prefix-cache/prefix-cache.ts';

/** What the engine counts. Plain data: it can be sent to another thread as it is. */
export interface PdStats {
  /** Answers waiting for their prefill, now. */
  readonly waiting: number;
  /** Requests whose prompt is being run, now. */
  readonly prefilling: number;
  /** Answers in the decode batch, now. */
  readonly running: number;
  /** Requests whose answers are complete and whose consumer has not taken all text yet, now. */
  readonly draining: number;
  /** Prompts run, and those of their tokens that were run. */
  readonly prefills: number;
  readonly prefillTokens: number;
  /** Runs in which that was done: more than prompts when they were cut, fewer when several shared one. */
  readonly prefillRuns: number;
  /** Decode runs, and the sum of their batch sizes: rows / steps is the mean batch. */
  readonly decodeSteps: number;
  readonly decodeRows: number;
  /** Tokens of constrained answers that had no alternative and were run several at once, beside decode runs. */
  readonly forcedTokens: number;
  /** Runs of several tokens of one answer that n-grams had guessed, how many these were, and how many of them came. */
  readonly draftRuns: number;
  readonly draftedTokens: number;
  readonly acceptedDraftTokens: number;
  /** How requests ended. */
  readonly finished: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly failed: number;
  /** Bytes of KV buffers, now and at most. */
  readonly kvBytes: number;
  readonly peakKvBytes: number;
  /** Most bytes that sequences may take. */
  readonly kvBudgetBytes: number;
  /** Prompts that begin like an earlier one; `cachedTokens / tokens` is the hit rate. */
  readonly prefixCache: PrefixCacheStats;
}

/** The ever-growing part of the statistics. */
export class PdCounters {
  prefills = 0;
  prefillTokens = 0;
  prefillRuns = 0;
  decodeSteps = 0;
  decodeRows = 0;
  forcedTokens = 0;
  draftRuns = 0;
  draftedTokens = 0;
  acceptedDraftTokens = 0;
  finished = 0;
  cancelled = 0;
  expired = 0;
  failed = 0;
  peakKvBytes = 0;

  countPrefillRun(tokens: number): void {
    this.prefillRuns += 1;
    this.prefillTokens += tokens;
  }

  countPrefill(): void {
    this.prefills += 1;
  }

  countDecode(rows: number): void {
    this.decodeSteps += 1;
    this.decodeRows += rows;
  }

  countForced(tokens: number): void {
    this.forcedTokens += tokens;
  }

  countDraft(drafted: number, accepted: number): void {
    this.draftRuns += 1;
    this.draftedTokens += drafted;
    this.acceptedDraftTokens += accepted;
  }

  notePeak(kvBytes: number): void {
    this.peakKvBytes = Math.max(this.peakKvBytes, kvBytes);
  }

  /** @param error what the request failed with; nothing when it finished */
  countEnd(error?: unknown): void {
    if (error === undefined) this.finished += 1;
    else if (codeOf(error) === 'ABORTED') this.cancelled += 1;
    else if (codeOf(error) === 'DEADLINE_EXCEEDED') this.expired += 1;
    else this.failed += 1;
  }
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
