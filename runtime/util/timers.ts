/**
 * Timers for any number of milliseconds. Node fires a timer of more than 2^31 - 1 ms at once, with a warning, and
 * refuses some: where somebody says "for as long as you like", that is the opposite of what was meant. Whatever waits
 * for a time that is not a constant below that takes it from here.
 */
import { setTimeout as timeout } from 'node:timers/promises';

/** The longest that Node's timers take, ms: 25 days, which is as good as for ever. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a timer can take of it: `Infinity` becomes 25 days, what is below 0 becomes 0. */
export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_TIMER_MS);
}

/** `setTimeout` */
export function after(ms: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, timerMs(ms));
}

/** `AbortSignal.timeout` */
export function timeoutSignal(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.trunc(timerMs(ms)));
}

/** Resolves after the time; does not keep the process. */
export async function quietPause(ms: number): Promise<void> {
  await timeout(timerMs(ms), undefined, { ref: false });
}

/** Resolves after the time with true, or with false as soon as the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  return await timeout(timerMs(ms), true, signal === undefined ? {} : { signal }).catch(() => false);
}

/** Whether the work has ended within the time; when not, it goes on. */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const ended = await Promise.race([work.then(() => true), pause(ms, timer.signal).then(() => false)]);
  timer.abort();
  return ended;
}
