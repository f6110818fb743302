/** What the engine counts. Plain data: it can be sent to another thread as it is. */
export interface PdStats {
  /** Sequences waiting for their prefill, now. */
  readonly waiting: number;
  /** Sequences in the decode batch, now. */
  readonly running: number;
  /** Complete answers whose consumer has not taken all text yet, now. */
  readonly draining: number;
  /** Prompts run, and their tokens. */
  readonly prefills: number;
  readonly prefillTokens: number;
  /** Decode runs, and the sum of their batch sizes: rows / steps is the mean batch. */
  readonly decodeSteps: number;
  readonly decodeRows: number;
  /** How requests ended. */
  readonly finished: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly failed: number;
  /** Bytes of KV buffers, now and at most. */
  readonly kvBytes: number;
  readonly peakKvBytes: number;
}

/** The ever-growing part of the statistics. */
export class PdCounters {
  prefills = 0;
  prefillTokens = 0;
  decodeSteps = 0;
  decodeRows = 0;
  finished = 0;
  cancelled = 0;
  expired = 0;
  failed = 0;
  peakKvBytes = 0;

  countPrefill(tokens: number): void {
    this.prefills += 1;
    this.prefillTokens += tokens;
  }

  countDecode(rows: number): void {
    this.decodeSteps += 1;
    this.decodeRows += rows;
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
