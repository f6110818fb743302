/**
 * One message from a ref and what its sender waits for. Settles exactly once, by whichever comes first: the
 * actor's answer, a failure to deliver, the deadline, or the caller's signal.
 */
import type { Transferable } from 'node:worker_threads';
import { type Deadline, deadlineIn, type Mortal } from '../channel/deadlines.ts';
import type { Outbound, Withdrawal } from '../channel/outbound.ts';
import type { Priority } from '../channel/priority.ts';
import { ActorError, abortedError } from '../errors.ts';
import type { StreamWriter } from '../stream/stream-writer.ts';
import { footprint } from '../tensors/byte-footprint.ts';
import { LONGEST_TIMER_MS } from '../util/timers.ts';
import { snapshot } from '../wire/payload-codec.ts';
import { type SmallJson, smallJson } from '../wire/small-json.ts';
import type { CallOptions } from './call-options.ts';

/** What all calls of a ref have in common. */
export interface CallOrigin {
  /** Name of the pool. */
  readonly actor: string;
  /** The member that the ref is to. */
  readonly only: string | undefined;
  /** Payloads go to the same thread as they are. */
  readonly byReference: boolean;
  /** Told when a call settles while it is held back. */
  readonly onLeft: (priority: Priority) => void;
  /** Told of a `tell` that had left, came back when its actor died, and cannot be sent again. */
  readonly onLostTell: (method: string, error: Error) => void;
}

const NO_TRANSFER: readonly Transferable[] = [];

export class Call implements Outbound, Mortal {
  readonly kind: Outbound['kind'];
  readonly method: string;
  readonly sequence: number;
  /** It may wait in any number: its sender waits for it. */
  readonly patient: boolean;
  readonly json: SmallJson | undefined;
  readonly bytes: number;
  readonly routeKey: string | undefined;
  readonly prefer: ((member: string) => number) | undefined;
  readonly member: string | undefined;
  readonly priority: Priority;
  readonly traceparent: string | undefined;
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  /** Whether it waits at its ref. */
  held = false;
  id = 0;
  number = 0;
  readonly #origin: CallOrigin;
  /** Made when somebody waits for it; nobody does for a `tell` that has left. */
  #result: PromiseWithResolvers<unknown> | undefined;
  #outcome: Outcome | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #deadlineMs: number | undefined;
  #payload: unknown;
  #transfer: readonly Transferable[];
  #deadline: Deadline | undefined;
  #onAbort: (() => void) | undefined;
  #by: Withdrawal | undefined;

  constructor(
    origin: CallOrigin,
    kind: Outbound['kind'],
    method: string,
    payload: unknown,
    sequence: number,
    patient: boolean,
    writer: StreamWriter<unknown, unknown> | undefined,
    options: CallOptions | undefined,
  ) {
    const transfer = options?.transfer ?? NO_TRANSFER;
    const plain = kind !== 'open' && !origin.byReference && transfer.length === 0;
    this.#origin = origin;
    this.kind = kind;
    this.method = method;
    this.sequence = sequence;
    this.patient = patient;
    this.routeKey = options?.routeKey;
    this.prefer = options?.prefer;
    this.member = options?.member ?? origin.only;
    this.priority = options?.priority ?? 'normal';
    this.traceparent = checkedTrace(options?.traceparent);
    this.writer = writer;
    this.json = plain ? smallJson(payload) : undefined;
    this.bytes = this.json === undefined ? bytesOf(payload, transfer) : this.json.bytes;
    this.#payload = payload;
    this.#transfer = transfer;
    this.#signal = options?.signal;
    this.#deadlineMs = options?.deadlineMs;
  }

  /** Fails it if its signal is aborted already: it is not to be sent then. */
  checkSignal(): void {
    if (this.#signal?.aborted) this.#abort();
  }

  /**
   * Begins to look at the deadline and the signal. Not for `tell`: nobody waits for it. After it was sent, so that it is on
   * its way meanwhile.
   */
  watch(): void {
    if (this.#outcome !== undefined) return;
    const ms = this.#deadlineMs;
    if (ms !== undefined && ms <= LONGEST_TIMER_MS) {
      this.#deadline = deadlineIn(ms);
      this.#deadline.add(this);
    }
    if (this.#signal === undefined) return;
    if (this.#signal.aborted) {
      this.#abort(); // by a getter in the payload
      return;
    }
    this.#onAbort = () => this.#abort();
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** It has to wait, and is from now on what it was at the call. False when that cannot be; then it has failed. */
  hold(onUnsendable: (cause: unknown) => Error): boolean {
    this.held = true;
    if (this.json !== undefined || this.#origin.byReference) return true;
    try {
      const { payload, transfer } = snapshot(this.#payload, this.#transfer);
      this.#payload = payload;
      this.#transfer = transfer;
      return true;
    } catch (cause) {
      this.held = false;
      this.fail(onUnsendable(cause));
      return false;
    }
  }

  get payload(): unknown {
    return this.#payload;
  }

  get transfer(): readonly Transferable[] {
    return this.#transfer;
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined;
  }

  get result(): Promise<unknown> {
    if (this.#result === undefined) {
      this.#result = Promise.withResolvers();
      if (this.#outcome !== undefined) settle(this.#result, this.#outcome);
    }
    return this.#result.promise;
  }

  /** A `tell` that has left has succeeded, and is still wanted if its actor dies before it begins it. */
  get wanted(): boolean {
    return this.#outcome === undefined || this.hasSucceeded;
  }

  /** For a `tell`: its sender was told that it has left. */
  hasSucceeded = false;

  posted(by: Withdrawal, id: number, number: number): void {
    this.#by = by;
    this.id = id;
    this.number = number;
  }

  tookBack(): void {
    this.#by = undefined;
  }

  succeed(value: unknown): void {
    if (this.kind === 'tell') this.hasSucceeded = true;
    this.#settle(value === undefined ? NOTHING : { value });
  }

  fail(error: Error): void {
    if (this.hasSucceeded) this.#origin.onLostTell(this.method, error);
    else this.#settle({ error });
  }

  expire(): void {
    const ms = this.#deadlineMs ?? 0;
    this.#giveUp(
      new ActorError(`${this.#label} was not answered within ${ms} ms`, {
        code: 'ASK_TIMEOUT',
        retrySafe: this.#by === undefined,
        details: { deadlineMs: ms },
      }),
    );
  }

  #abort(): void {
    // The actor may begin it before it hears of this; what has not left will not be begun.
    this.#giveUp(abortedError(this.#label, this.#signal?.reason, this.#by === undefined));
  }

  #giveUp(error: ActorError): void {
    if (this.#outcome !== undefined) return;
    this.#by?.withdraw(this.id, error);
    this.fail(error);
  }

  get #label(): string {
    return `${this.#origin.actor}.${this.method}`;
  }

  #settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#deadline?.noteSettled();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.held && !this.hasSucceeded) this.#origin.onLeft(this.priority);
    if (this.#result !== undefined) settle(this.#result, outcome);
  }
}

type Outcome = { readonly value: unknown } | { readonly error: Error };

const NOTHING: Outcome = { value: undefined };

function settle({ resolve, reject }: PromiseWithResolvers<unknown>, outcome: Outcome): void {
  if ('error' in outcome) reject(outcome.error);
  else resolve(outcome.value);
}

/** https://www.w3.org/TR/trace-context/#traceparent-header: neither the version ff nor an id of zeros is one. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Another actor hands it to a tracer: what is none is left out, as the standard wants it. */
function checkedTrace(traceparent: unknown): string | undefined {
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined;
}

function bytesOf(payload: unknown, transfer: readonly Transferable[]): number {
  const { moved, copied } = footprint(payload, transfer);
  return moved + copied;
}
