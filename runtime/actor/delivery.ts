/** A data message that has arrived at an actor: in its mailbox, then with its handler. */
import type { Priority } from '../channel/priority.ts';
import type { Place } from '../channel/tells-under-way.ts';
import type { StreamWriter } from '../stream/stream-writer.ts';
import type { DataMessage } from '../wire/messages.ts';
import type { CallContext } from './behaviour.ts';
import type { Inlet } from './inlet.ts';

export class Delivery {
  readonly inlet: Inlet;
  readonly message: DataMessage;
  /** For an `open`. Alive while the message still waits, so that an interrupt is noticed there too. */
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  /** It has left the mailbox. */
  started = false;
  /** Why its payload is not known, if it could not be read. */
  readonly unreadable: Error | undefined;
  /** Of a `tell`, while its handler has it. */
  place: Place | undefined;
  #left: { readonly reason: unknown } | undefined;
  /** Few handlers look at the signal, so it is made for those that do. */
  #controller: AbortController | undefined;

  constructor(
    inlet: Inlet,
    message: DataMessage,
    writer: StreamWriter<unknown, unknown> | undefined,
    unreadable?: Error,
  ) {
    this.inlet = inlet;
    this.message = message;
    this.writer = writer;
    this.unreadable = unreadable;
  }

  get priority(): Priority {
    return this.message.priority ?? 'normal';
  }

  /** Why its client does not wait for the answer any more, if that is so. */
  get left(): { readonly reason: unknown } | undefined {
    return this.#left ?? (this.writer?.signal.aborted ? this.writer.signal : undefined);
  }

  interrupt(reason: Error): void {
    this.#left ??= { reason };
    this.#controller?.abort(reason);
  }

  /** Aborted when its client stops waiting. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#left !== undefined) this.#controller.abort(this.#left.reason);
    }
    return this.#controller.signal;
  }
}

/** What a handler is given: of the delivery, only what it should know. */
export class DeliveryContext implements CallContext {
  readonly #delivery: Delivery;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  get signal(): AbortSignal {
    return this.#delivery.signal;
  }

  get traceparent(): string | undefined {
    return this.#delivery.message.traceparent;
  }
}
