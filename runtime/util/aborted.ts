/** The error of work that was given up because its `AbortSignal` said so. */
import { ActorError } from '../errors.ts';

/** `ABORTED`, with the signal's reason as cause. */
export function abortedBy(signal: AbortSignal | undefined, what = 'the wait'): ActorError {
  return new ActorError(`${what} was aborted`, { code: 'ABORTED', retrySafe: true, cause: signal?.reason });
}

/** As `AbortSignal.throwIfAborted`, which older polyfills of it lack. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason ?? abortedBy(signal);
}

/** Waits for work that goes on by itself. @throws what it throws; the signal's reason as soon as it is aborted */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
