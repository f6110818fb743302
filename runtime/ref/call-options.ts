/** What a caller may say about one message. */
import type { Transferable } from 'node:worker_threads';
import { PRIORITIES, type Priority } from '../channel/priority.ts';
import { invalidOption, TroupeError } from '../errors.ts';
import { isAbortSignal, messageOf } from '../util/realms.ts';

/** How a message is sent, and how long an answer is waited for. */
export interface CallOptions {
  /**
   * Milliseconds until the call fails with `ASK_TIMEOUT`; a stream, until it has ended. Default 30,000 for `ask`, none
   * for streams and for `send`. It means nothing to `tell`, which waits for nothing.
   */
  readonly deadlineMs?: number | undefined;
  /** Aborting it fails the call with `ABORTED`, or `ACTOR_STOPPED` if that is its reason, and tells the actor. */
  readonly signal?: AbortSignal | undefined;
  /** Buffers in the payload to hand over instead of cloning. */
  readonly transfer?: readonly Transferable[] | undefined;
  /** For the `sticky` and `pinned` policies: messages with one key go to one member. */
  readonly routeKey?: string | undefined;
  /**
   * Which of the messages that wait is taken first. Order holds among those of one sender with one priority, and so do the
   * bounds: each priority has its own. What waits is overtaken by seventeen in a row at most. Default `normal`.
   */
  readonly priority?: Priority | undefined;
  /**
   * For the `least-loaded` policy: by how much more than others a member, by its name, may have to do and still be chosen.
   * Asked when the message is sent. One that throws or gives no number prefers nobody; the process is warned of it, with the
   * code `PREFER_FAILED`.
   */
  readonly prefer?: ((member: string) => number) | undefined;
  /** Name of the one member that shall have the message, `pool/0`, whatever the policy. It waits for that member. */
  readonly member?: string | undefined;
  /**
   * The trace that the message belongs to, as W3C Trace Context writes it (`00-…-…-01`): the handler finds it in its context,
   * and gives it on with what it sends for this message.
   */
  readonly traceparent?: string | undefined;
}

/**
 * What was said of a call, made by a program that may be without types. Each field is read once: a getter could throw, or give
 * one thing to be checked and another to be used. A `traceparent` may be anything: what is none is left out by the call.
 * @throws `OPTION_INVALID`
 */
export function checkedOptions(method: unknown, options: CallOptions | undefined): CallOptions | undefined {
  if (typeof method !== 'string') throw invalidOption('method', method, 'give its name');
  if (options === undefined || options === null) return undefined;
  return {
    deadlineMs: readOption(options, 'deadlineMs', isTime, 'give milliseconds; Infinity for no deadline'),
    signal: readOption(options, 'signal', isAbortSignal, 'give an AbortSignal, or leave it out'),
    transfer: ownList(readOption(options, 'transfer', isList, 'give a list of buffers')),
    routeKey: readOption(options, 'routeKey', isText, 'give a text'),
    prefer: readOption(options, 'prefer', isFunction, "give a function of a member's name"),
    member: readOption(options, 'member', isText, 'give the name of a member'),
    priority: readOption(options, 'priority', isPriority, TAKE_A_PRIORITY),
    traceparent: readOption(options, 'traceparent', isAnything, 'give a text'),
  };
}

/** It is looked at again when an actor has died: the caller may use the list for something else meanwhile. */
function ownList(list: CallOptions['transfer']): CallOptions['transfer'] {
  return list === undefined ? undefined : [...list];
}

/** A field that is absent or fits. @throws `OPTION_INVALID`, also where it cannot even be read */
export function readOption<Options, Field extends keyof Options & string>(
  options: Options,
  field: Field,
  fits: (value: unknown) => boolean,
  remedy: string,
): Options[Field] {
  let value: Options[Field];
  try {
    value = options[field];
  } catch (cause) {
    throw unreadable(field, cause);
  }
  check(field, value, fits, remedy);
  return value;
}

function check(field: string, value: unknown, fits: (value: unknown) => boolean, remedy: string): void {
  if (value === undefined) return;
  let isFit: boolean;
  try {
    isFit = fits(value);
  } catch (cause) {
    throw unreadable(field, cause);
  }
  if (!isFit) throw invalidOption(field, value, remedy);
}

function unreadable(field: string, cause: unknown): TroupeError {
  const remedy = 'give a plain value';
  return new TroupeError(`${field} cannot be read: ${messageOf(cause)}: ${remedy}`, {
    code: 'OPTION_INVALID',
    details: { field, remedy },
    cause,
  });
}

const TAKE_A_PRIORITY = `take one of ${PRIORITIES.join(', ')}`;

const isTime = (value: unknown) => typeof value === 'number' && !Number.isNaN(value);
/** A proxy may refuse to say how long it is. */
const isList = (value: unknown) => Array.isArray(value) && value.length >= 0;
const isAnything = () => true;
const isText = (value: unknown) => typeof value === 'string';
const isFunction = (value: unknown) => typeof value === 'function';
const isPriority = (value: unknown) => PRIORITIES.some((one) => one === value);
