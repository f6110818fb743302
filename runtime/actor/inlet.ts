/**
 * The actor's end of one client's channel. Data messages go to the mailbox in order; control messages are
 * handled here, on receipt. A call that its client cancels is aborted if it runs and skipped if it still waits.
 */
import { FlowReceiver } from '../channel/flow-control.ts';
import { ActorError } from '../errors.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ChannelToken, ClientMessage, DataMessage, WireMessage } from '../wire/messages.ts';
import { encodePayload } from '../wire/payload-codec.ts';

/** A data message in the mailbox. */
export interface Delivery {
  readonly inlet: Inlet;
  readonly message: DataMessage;
  /** Aborted when the client stops waiting for the answer. */
  readonly interrupt: AbortController;
  /** For an `open`. Alive while the message still waits, so that an interrupt is noticed there too. */
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  /** It has left the mailbox. */
  started: boolean;
}

export interface InletOwner {
  /** Of the actor. */
  readonly holder: number;
  onDelivery(delivery: Delivery): void;
  onClose(inlet: Inlet): void;
}

export class Inlet {
  readonly #port: Port;
  readonly #flow: FlowReceiver;
  readonly #owner: InletOwner;
  readonly #pending = new Map<number, Delivery>();

  constructor(token: ChannelToken, owner: InletOwner) {
    this.#port = adoptPort(token.port);
    this.#flow = new FlowReceiver(token.flow);
    this.#owner = owner;
    this.#port.listen({
      onMessage: (message) => this.#onMessage(asClientMessage(message)),
      onClose: () => this.#onClose(),
    });
  }

  /** The delivery leaves the mailbox; its client gets the credit back. */
  start(delivery: Delivery): void {
    delivery.started = true;
    if (this.#flow.start(delivery.message.bytes)) this.#port.post({ t: 'credit' });
  }

  reply(delivery: Delivery, value: unknown): void {
    const { message } = delivery;
    if (message.t === 'tell' || !this.#pending.delete(message.id)) return;
    try {
      const { payload, rich, transfer } = encodePayload(value, this.#port);
      this.#port.post({ t: 'reply', id: message.id, value: payload, rich }, transfer);
    } catch (cause) {
      const error = new ActorError(`the answer to ${message.method} cannot be sent`, {
        code: 'PROTOCOL_VIOLATION',
        cause,
      });
      this.#port.post({ t: 'refusal', id: message.id, error: encodeError(error) });
    }
  }

  refuse(delivery: Delivery, error: unknown): void {
    const { message } = delivery;
    if (message.t === 'tell' || !this.#pending.delete(message.id)) return;
    this.#port.post({ t: 'refusal', id: message.id, error: encodeError(error) });
  }

  close(): void {
    this.#port.close();
  }

  #onMessage(message: ClientMessage): void {
    if (message.t === 'cancel') {
      const delivery = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      delivery?.interrupt.abort(decodeError(message.error));
      return;
    }
    const delivery: Delivery = {
      inlet: this,
      message,
      interrupt: new AbortController(),
      writer: message.t === 'open' ? new StreamWriter(message.writer, this.#owner.holder) : undefined,
      started: false,
    };
    if (message.t !== 'tell') this.#pending.set(message.id, delivery);
    this.#watchReader(delivery);
    this.#owner.onDelivery(delivery);
  }

  /**
   * Who forwarded a stream waits for an answer and holds the payload meanwhile, and has given away the end that hears of
   * an interrupt. So when the reader leaves, a stream that still waits is answered at once. It keeps its place in the
   * mailbox, and its credit, until its turn: what was started is counted in order.
   */
  #watchReader(delivery: Delivery): void {
    const { writer } = delivery;
    const leave = () => {
      if (delivery.started) return; // whoever handles it has the writer, and answers
      writer?.fail(writer.signal.reason);
      this.refuse(delivery, writer?.signal.reason);
    };
    if (writer?.signal.aborted) leave();
    else writer?.signal.addEventListener('abort', leave, { once: true });
  }

  #onClose(): void {
    for (const { interrupt } of this.#pending.values()) {
      interrupt.abort(new ActorError('the caller is gone', { code: 'ABORTED', retrySafe: true }));
    }
    this.#pending.clear();
    this.#owner.onClose(this);
  }
}

function asClientMessage(message: WireMessage): ClientMessage {
  if (message.t === 'tell' || message.t === 'ask' || message.t === 'open' || message.t === 'cancel')
    return message;
  throw new ActorError(`an actor got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
