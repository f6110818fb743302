/** Time that two threads of one process can compare. */

/** Epoch milliseconds with sub-millisecond resolution; monotonic within a thread. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}
