/**
 * What code that computes for long says about itself, whatever it is deep inside of: one pulse a thread, of the actor that
 * the thread belongs to. On a thread without one (the caller's) all of it has no effect.
 */
import type { Pulse } from '../board/pulse.ts';
import { flushAll } from '../transport/departures.ts';
import { uninterrupted } from './exit-gate.ts';

let pulse: Pulse | undefined;

/** To be called once, by the thread's first module. */
export function attachPulse(own: Pulse): void {
  pulse = own;
}

/** Long work in JavaScript goes on: to be called about once a second, or more often. */
export function stillWorking(): void {
  flushAll();
  pulse?.turn();
}

/**
 * Calls a library's native code, inside of which the thread must never be terminated: neither the watchdog nor the end of
 * the process cuts it short. The end waits some seconds for it, so keep it short; it must not wait for other threads.
 *
 * @param expectedMs how long it takes; ten times as much is allowed, and at least `watchdog.turnMs`. Unknown: `nativeMs`
 */
export async function inNative<T>(work: () => Promise<T>, expectedMs?: number): Promise<T> {
  return await uninterrupted(async () => {
    flushAll(); // nobody should wait for answers while the thread is busy
    return await (pulse === undefined ? work() : announced(pulse, work, expectedMs));
  });
}

/**
 * Native code is announced where it runs: in the call itself, and from the next check phase of the event loop on. A library
 * calls it there, as onnxruntime does, by a `setImmediate` of its own, which comes behind the one made here. What other
 * handlers compute until then is JavaScript, and ended as such if it hangs.
 */
async function announced<T>(own: Pulse, work: () => Promise<T>, expectedMs?: number): Promise<T> {
  const { tag } = own;
  let isInside = false;
  const enter = () => {
    own.entered(expectedMs, tag);
    isInside = true;
  };
  const leave = () => {
    if (isInside) own.left();
    isInside = false;
  };
  const again = setImmediate(enter);
  try {
    enter();
    const result = work();
    leave();
    return await result;
  } finally {
    clearImmediate(again);
    leave();
  }
}

/** Computes something, in JavaScript and without a pause, for one request: if it never ends, that request is to blame. */
export function workingOn<T>(requestId: string, work: () => T): T {
  if (pulse === undefined) return work();
  pulse.work(workTag(requestId));
  try {
    return work();
  } finally {
    pulse.work(0);
  }
}

/** 32 bits that stand for a request; never 0. */
export function workTag(requestId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < requestId.length; index++) {
    hash = Math.imul(hash ^ requestId.charCodeAt(index), 0x01000193);
  }
  return hash | 0 || 1;
}
