/**
 * Exponential backoff: how long to wait before the next attempt. Each attempt waits `factor` times as long as
 * the one before, up to a cap; jitter spreads those who failed together, so that they do not return together.
 */
export interface BackoffOptions {
  /** Delay after the first failure, ms. Default 100. */
  readonly firstMs?: number;
  /** Longest delay, ms. Default 10,000. */
  readonly capMs?: number;
  /** Default 2. */
  readonly factor?: number;
  /** Part of the delay that is random, 0 to 1: with 0.2 a delay of 100 ms becomes 80 to 100. Default 0.2. */
  readonly jitter?: number;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** Delay in ms after the `failures`-th failure in a row, counted from 1. */
export function backoffDelay(failures: number, options: BackoffOptions = {}): number {
  const { firstMs = 100, capMs = 10_000, factor = 2, jitter = 0.2, random = Math.random } = options;
  const delay = Math.min(capMs, firstMs * factor ** Math.max(0, failures - 1));
  return delay * (1 - jitter * random());
}
