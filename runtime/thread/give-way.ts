/**
 * Threads that compute give way to those that answer. With more busy threads than cores, a thread that wakes up for an
 * instant, as the one that speaks HTTP does, otherwise waits until each of the others has had its turn.
 */
import { getPriority, setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/** Added to the niceness: a third of the share of a thread that did not give way (Linux, `sched_prio_to_weight`). */
export const STEP = 5;

/** The niceness of the lowest priority there is. */
const MOST = 19;

/**
 * Lowers the priority of the calling worker thread, and of the threads that it makes from now on: onnxruntime's pool is
 * made with the session. Linux alone has a priority for each thread; elsewhere, and on the main thread, nothing happens.
 * To be called once a thread, when libuv's pool, which all threads share, has been made by another one.
 */
export function giveWay(): void {
  if (process.platform !== 'linux' || isMainThread) return;
  try {
    // 0 is the calling thread, which was made with the priority of its maker.
    setPriority(0, Math.min(MOST, getPriority(0) + STEP));
  } catch {
    // A sandbox may forbid it; everything works without.
  }
}
