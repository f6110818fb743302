/**
 * Milliseconds that all threads of the process count from the same origin. `performance.now()` starts anew in
 * each worker, and the origins that Node reports are readings of the wall clock, which may be set in between;
 * the clock behind `process.hrtime` is one and never jumps. The offset between the two is measured once, since
 * `performance.now()` is cheaper to read.
 */
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds on the process clock; to be compared with others of this process, and no date. */
export function processNow(): number {
  return performance.now() + offsetMs;
}
