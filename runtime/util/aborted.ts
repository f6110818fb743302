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
