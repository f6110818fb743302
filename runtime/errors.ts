/**
 * The one error class of the project, and the settlement codes that the actor runtime itself produces.
 *
 * Every failure that a caller can act on is a `TroupeError`: it has a stable `code`, says whether a retry is
 * safe, and carries plain `details` (the field, the value, the remedy…). Errors cross threads by their wire
 * form (see `wire/error-codec.ts`), so a check by `instanceof` or by `code` works the same on either side.
 */

import { messageOf, textOf } from './util/realms.ts';

const BRAND = Symbol.for('troupe.error');

/** Plain, cloneable facts about a failure. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** What a `TroupeError` is made of. */
export interface TroupeErrorOptions {
  /** Stable, SCREAMING_SNAKE_CASE; part of the public API. */
  readonly code: string;
  /** True when the failed work left nothing behind and the same call may be made again. Default false. */
  readonly retrySafe?: boolean;
  /** Plain facts for whoever handles the failure. Default: none. */
  readonly details?: ErrorDetails;
  /** What led to the failure, any value; kept as `error.cause`. */
  readonly cause?: unknown;
}

/**
 * A failure that a caller can act on. Its `code` is stable and listed, with its meaning, in the page of error codes;
 * an error keeps class, code, details and cause on its way from another thread. Subclasses: `InputError`,
 * `ModelError`, `ActorError`.
 */
export class TroupeError extends Error {
  /** Written out, for a minifier renames classes and errors are known by name on other threads. */
  static override readonly name: string = 'TroupeError';
  /** The name of the class. */
  override readonly name: string = 'TroupeError';
  /** Stable, SCREAMING_SNAKE_CASE: `QUEUE_FULL`, `IMAGE_CORRUPT`… */
  readonly code: string;
  /** True when the failed work left nothing behind and the same call may be made again. */
  readonly retrySafe: boolean;
  /** Plain facts: strings, numbers, booleans, null, lists of strings. Empty when there are none. */
  readonly details: ErrorDetails;

  /** Makes one. @param message one line for people; programs read `code` and `details` */
  constructor(message: string, options: TroupeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retrySafe = options.retrySafe ?? false;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for a `TroupeError` of this or another copy of the package. */
  static is(value: unknown): value is TroupeError {
    try {
      return typeof value === 'object' && value !== null && BRAND in value;
    } catch {
      return false; // a proxy that does not let itself be looked at
    }
  }
}

const ACTOR_ERROR_CODES = [
  'ASK_TIMEOUT',
  'ABORTED',
  'ACTOR_DIED',
  'ACTOR_STOPPED',
  'ACTOR_ESCALATED',
  'MAILBOX_FULL',
  'DEFECT',
  'PROTOCOL_VIOLATION',
] as const;

/** How a message to an actor can fail to be answered, apart from a failure that the actor declares. */
export type ActorErrorCode = (typeof ACTOR_ERROR_CODES)[number];

export function isActorErrorCode(code: string): code is ActorErrorCode {
  return (ACTOR_ERROR_CODES as readonly string[]).includes(code);
}

/** A message was not answered: which actor, why, and whether sending it again is safe. */
export class ActorError extends TroupeError {
  static override readonly name: string = 'ActorError';
  /** Always `ActorError`. */
  override readonly name = 'ActorError';
  /** Why the message was not answered. */
  declare readonly code: ActorErrorCode;

  /** Made by the runtime. @param message one line for people; programs read `code` */
  constructor(message: string, options: TroupeErrorOptions & { readonly code: ActorErrorCode }) {
    super(message, options);
  }
}

/** What a message to a stopped actor fails with. Nothing of it was done. */
export function stoppedError(actor: string): ActorError {
  return new ActorError(`${actor} is stopped`, {
    code: 'ACTOR_STOPPED',
    retrySafe: true,
    details: { actor },
  });
}

/** An actor is over that was not to be, and what it died of. The same may be asked of the next one. */
export function diedError(actor: string, cause?: unknown): ActorError {
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new ActorError(`${actor} died${why}`, {
    code: 'ACTOR_DIED',
    retrySafe: true,
    details: { actor },
    cause,
  });
}

/** What an actor dies of that does not stop within its grace. */
export function didNotStop(): Error {
  return new Error('it did not stop');
}

/**
 * What a call fails with whose signal was aborted. Where that is because the actor that called is stopped (the signal is its
 * `context.stopping`, or made of it), whoever waits behind it is told so, and not that they have left.
 */
export function abortedError(call: string, reason: unknown, retrySafe: boolean): ActorError {
  const isStopped = TroupeError.is(reason) && reason.code === 'ACTOR_STOPPED';
  return new ActorError(`${call} was aborted by the caller${isStopped ? `: ${reason.message}` : ''}`, {
    code: isStopped ? 'ACTOR_STOPPED' : 'ABORTED',
    retrySafe,
    cause: reason,
  });
}

/** An option that makes no sense: which, what it was, and what it may be. */
export function invalidOption(field: string, value: unknown, remedy: string): TroupeError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : textOf(value);
  return new TroupeError(`${field} is ${shown}: ${remedy}`, {
    code: 'OPTION_INVALID',
    details: { field, value: shown, remedy },
  });
}
