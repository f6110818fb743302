/**
 * Long computations on a thread that others use too: a generator pauses where it may be interrupted, and whoever drives
 * it either goes on at once or lets the thread turn to what has come meanwhile.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Between two turns, ms. */
const MOST_AT_ONCE_MS = 8;

export type Steps<T> = Generator<void, T, void>;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** @throws the signal's reason when it aborts before the end */
export async function inTurns<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  let since = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < MOST_AT_ONCE_MS) continue;
    await nextTurn();
    signal.throwIfAborted();
    since = performance.now();
  }
}
