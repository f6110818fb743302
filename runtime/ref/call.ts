/**
 * One message from a ref and what its sender waits for. Settles exactly once, by whichever comes first: the
 * actor's answer, a failure to deliver, the deadline, or the caller's signal.
 */
import type { Transferable } from 'node:worker_threads';
import type { Outbound } from '../channel/outbound.ts';
import { ActorError } from '../errors.ts';
import type { StreamWriter } from '../stream/stream-writer.ts';
import { after, LONGEST_TIMER_MS } from '../util/timers.ts';

/** How a message is sent, and how long an answer is waited for. */
export interface CallOptions {
  /** Milliseconds until the call fails with `ASK_TIMEOUT`. Default 30,000 for `ask`, none for streams. */
  readonly deadlineMs?: number | undefined;
  /** Aborting it fails the call with `ABORTED` and tells the actor. */
  readonly signal?: AbortSignal | undefined;
  /** Buffers in the payload to hand over instead of cloning. */
  readonly transfer?: readonly Transferable[] | undefined;
  /** For the `sticky` policy: messages with one key go to one member. */
  readonly routeKey?: string | undefined;
}

export interface CallParts extends CallOptions {
  readonly kind: Outbound['kind'];
  /** `actor.method`, for errors. */
  readonly label: string;
  readonly method: string;
  readonly payload: unknown;
  readonly bytes: number;
  readonly writer?: StreamWriter<unknown, unknown> | undefined;
}

export class Call implements Outbound {
  readonly kind: Outbound['kind'];
  readonly method: string;
  readonly payload: unknown;
  readonly transfer: readonly Transferable[];
  readonly bytes: number;
  readonly routeKey: string | undefined;
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  readonly #parts: CallParts;
  readonly #result = Promise.withResolvers<unknown>();
  readonly #onAbort = () => this.#abort();
  #timer: NodeJS.Timeout | undefined;
  #withdraw: ((error: Error) => void) | undefined;
  #settled = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    this.method = parts.method;
    this.payload = parts.payload;
    this.transfer = parts.transfer ?? [];
    this.bytes = parts.bytes;
    this.routeKey = parts.routeKey;
    this.writer = parts.writer;
    const { signal, deadlineMs } = parts;
    if (deadlineMs !== undefined && deadlineMs <= LONGEST_TIMER_MS) {
      this.#timer = after(deadlineMs, () => this.#expire(deadlineMs));
    }
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get result(): Promise<unknown> {
    return this.#result.promise;
  }

  get wanted(): boolean {
    return !this.#settled || this.kind === 'tell';
  }

  posted(withdraw: (error: Error) => void): void {
    this.#withdraw = withdraw;
  }

  succeed(value: unknown): void {
    if (this.#settle()) this.#result.resolve(value);
  }

  fail(error: Error): void {
    if (this.#settle()) this.#result.reject(error);
  }

  #giveUp(error: ActorError): void {
    if (this.#settled) return;
    this.#withdraw?.(error);
    this.fail(error);
  }

  #abort(): void {
    const error = new ActorError(`${this.#parts.label} was aborted by the caller`, {
      code: 'ABORTED',
      retrySafe: true,
      cause: this.#parts.signal?.reason,
    });
    this.#giveUp(error);
  }

  #expire(deadlineMs: number): void {
    const error = new ActorError(`${this.#parts.label} was not answered within ${deadlineMs} ms`, {
      code: 'ASK_TIMEOUT',
      details: { deadlineMs },
    });
    this.#giveUp(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#parts.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
