/**
 * How long a run of a graph is expected to take, learned from the runs before: as long as the longest, or in proportion to
 * the largest, whichever is more. What hangs can then be told from what is large. The first run is slower than others: it no
 * longer counts when another of its size has been made (`trial-runs.ts`).
 */
import type { Tensors } from './graph-session.ts';

export class RunAllowance {
  readonly #firstMs: number | undefined;
  #runs = 0;
  #longestMs = 0;
  #largest = { size: 0, ms: 0 };

  /** @param firstMs what the first run is expected to take. Default: that is not known */
  constructor(firstMs?: number) {
    this.#firstMs = firstMs;
  }

  /** Milliseconds; undefined while nothing is known. */
  expectedMs(size: number): number | undefined {
    const { size: largest, ms } = this.#largest;
    return largest === 0 ? this.#firstMs : Math.max(this.#longestMs, (ms * size) / largest);
  }

  record(size: number, ms: number): void {
    this.#runs += 1;
    if (this.#runs === 2 && size >= this.#largest.size) this.#longestMs = 0;
    this.#longestMs = Math.max(this.#longestMs, ms);
    if (size >= this.#largest.size) this.#largest = { size, ms };
  }
}

/** Numbers that a run computes anew from; what is kept from before, and its mask, cost little beside. At least 1. */
export function sizeOf(feeds: Tensors): number {
  let most = 1;
  for (const name in feeds) {
    if (!name.startsWith('past') && name !== 'attention_mask') most = Math.max(most, feeds[name]?.size ?? 0);
  }
  return most;
}
