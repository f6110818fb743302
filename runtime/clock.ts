/** A thread may be put aside between two readings, for milliseconds on a busy machine: the tightest of several counts. */
const READINGS = 8;

/**
 * Milliseconds that all threads of the process count from the same origin. `performance.now()` starts anew in
 * each worker, and the origins that Node reports are readings of the wall clock, which may be set in between;
 * the clock behind `process.hrtime` is one and never jumps. The offset between the two is measured once, since
 * `performance.now()` is cheaper to read.
 */
const offsetMs = offsetBetween(
  () => performance.now(),
  () => Number(process.hrtime.bigint()) / 1e6,
);

/** Milliseconds on the process clock; to be compared with others of this process, and no date. */
export function processNow(): number {
  return performance.now() + offsetMs;
}

/** How much `far` is ahead of `near`. */
export function offsetBetween(near: () => number, far: () => number): number {
  let tightest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let reading = 0; reading < READINGS; reading++) {
    const before = near();
    const there = far();
    const after = near();
    if (after - before >= tightest) continue;
    tightest = after - before;
    offset = there - (before + after) / 2;
  }
  return offset;
}
