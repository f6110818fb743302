/** What a caller may say about one message. */
import type { Transferable } from 'node:worker_threads';
import { PRIORITIES, type Priority } from '../channel/priority.ts';
import { invalidOption, type TroupeError } from '../errors.ts';
import { isAbortSignal } from '../util/realms.ts';

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

/** What is wrong with a call, made by a program without types: `OPTION_INVALID`. */
export function faultOf(method: unknown, options: CallOptions | undefined): TroupeError | undefined {
  if (typeof method !== 'string') return invalidOption('method', method, 'give its name');
  return options === undefined || options === null ? undefined : faultOfOptions(options);
}

function faultOfOptions(
  options: { readonly [Field in keyof CallOptions]: unknown },
): TroupeError | undefined {
  const { deadlineMs, signal, transfer, routeKey, prefer, member, priority } = options;
  if (deadlineMs !== undefined && (typeof deadlineMs !== 'number' || Number.isNaN(deadlineMs)))
    return invalidOption('deadlineMs', deadlineMs, 'give milliseconds; Infinity for no deadline');
  if (signal !== undefined && !isAbortSignal(signal))
    return invalidOption('signal', signal, 'give an AbortSignal, or leave it out');
  if (transfer !== undefined && !Array.isArray(transfer))
    return invalidOption('transfer', transfer, 'give a list of buffers');
  if (routeKey !== undefined && typeof routeKey !== 'string')
    return invalidOption('routeKey', routeKey, 'give a text');
  if (prefer !== undefined && typeof prefer !== 'function')
    return invalidOption('prefer', prefer, "give a function of a member's name");
  if (member !== undefined && typeof member !== 'string')
    return invalidOption('member', member, 'give the name of a member');
  if (priority !== undefined && !PRIORITIES.some((one) => one === priority))
    return invalidOption('priority', priority, `take one of ${PRIORITIES.join(', ')}`);
  return undefined;
}
