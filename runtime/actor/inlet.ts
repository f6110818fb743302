/**
 * The actor's end of one client's channel. Data messages go to the mailbox in order; control messages are
 * handled here, on receipt. A call that its client cancels is aborted if it runs and skipped if it still waits.
 */
import { FlowReceiver } from '../channel/flow-control.ts';
import type { Priority } from '../channel/priority.ts';
import { ArrivedCount } from '../channel/under-way.ts';
import { ActorError } from '../errors.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { IdTable } from '../util/id-table.ts';
import { messageOf } from '../util/realms.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ChannelToken, ClientMessage, WireMessage } from '../wire/messages.ts';
import { takeTransfer } from '../wire/moved.ts';
import { postEncoded } from '../wire/payload-codec.ts';
import { smallJson } from '../wire/small-json.ts';
import { CREDIT_TEXT, replyText } from '../wire/text-codec.ts';
import { Delivery } from './delivery.ts';

export interface InletOwner {
  /** Of the actor. */
  readonly holder: number;
  onDelivery(delivery: Delivery): void;
  onClose(inlet: Inlet): void;
}

export class Inlet {
  readonly #port: Port;
  readonly #flows: Readonly<Record<Priority, FlowReceiver>>;
  readonly #arrivedCount: ArrivedCount;
  readonly #owner: InletOwner;
  readonly #pending = new IdTable<Delivery>();

  constructor(token: ChannelToken, owner: InletOwner) {
    this.#port = adoptPort(token.port);
    this.#flows = {
      high: new FlowReceiver(token.flow, 'high'),
      normal: new FlowReceiver(token.flow, 'normal'),
      low: new FlowReceiver(token.flow, 'low'),
    };
    this.#arrivedCount = new ArrivedCount(token);
    this.#owner = owner;
    this.#port.listen({
      onMessage: (message) => this.#onMessage(asClientMessage(message)),
      onClose: () => this.#onClose(),
    });
  }

  /** The delivery leaves the mailbox; its client gets the credit back. */
  start(delivery: Delivery): void {
    delivery.started = true;
    if (!this.#flows[delivery.priority].start(delivery.message.bytes)) return;
    if (this.#port.byReference) this.#port.post({ t: 'credit' });
    else this.#port.postText(CREDIT_TEXT);
  }

  /** The handler is done. An answer that cannot be sent is a failure. */
  reply(delivery: Delivery, value: unknown): void {
    const { message } = delivery;
    if (message.t === 'tell') {
      this.#flows[delivery.priority].endTell();
      return;
    }
    if (!this.#pending.delete(message.id)) return;
    const json = this.#port.byReference ? undefined : smallJson(value);
    if (json !== undefined) {
      this.#port.postText(replyText(message.id, json));
      return;
    }
    try {
      const moved = takeTransfer(value);
      postEncoded(value, this.#port, ({ payload, travellers, transfer }) => {
        this.#port.post({ t: 'reply', id: message.id, value: payload, travellers }, [...moved, ...transfer]);
      });
    } catch (cause) {
      const error = new ActorError(`the answer to ${message.method} cannot be sent: ${messageOf(cause)}`, {
        code: 'PROTOCOL_VIOLATION',
        cause,
      });
      this.#port.post({ t: 'refusal', id: message.id, error: encodeError(error) });
    }
  }

  refuse(delivery: Delivery, error: unknown): void {
    const { message } = delivery;
    if (message.t === 'tell') this.#flows[delivery.priority].endTell();
    else if (this.#pending.delete(message.id)) this.#refuse(message.id, error);
  }

  #refuse(id: number, error: unknown): void {
    this.#port.post({ t: 'refusal', id, error: encodeError(error) });
  }

  close(): void {
    this.#port.close();
  }

  #onMessage(message: ClientMessage): void {
    if (message.t === 'cancel') {
      const delivery = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      delivery?.interrupt(decodeError(message.error));
      return;
    }
    const writer = message.t === 'open' ? new StreamWriter(message.writer, this.#owner.holder) : undefined;
    const delivery = new Delivery(this, message, writer);
    if (message.t !== 'tell') this.#pending.set(message.id, delivery);
    if (writer !== undefined) this.#watchReader(delivery, writer);
    this.#owner.onDelivery(delivery);
    // Only now: counted twice for a moment it is not sent to, counted by nobody all would send to it.
    this.#arrivedCount.add();
  }

  /**
   * Who forwarded a stream waits for an answer and holds the payload meanwhile, and has given away the end that hears of
   * an interrupt. So when the reader leaves, a stream that still waits is answered at once. It keeps its place in the
   * mailbox, and its credit, until its turn: what was started is counted in order.
   */
  #watchReader(delivery: Delivery, writer: StreamWriter<unknown, unknown>): void {
    const leave = () => {
      if (delivery.started) return; // whoever handles it has the writer, and answers
      writer.fail(writer.signal.reason);
      this.refuse(delivery, writer.signal.reason);
    };
    if (writer.signal.aborted) leave();
    else writer.signal.addEventListener('abort', leave, { once: true });
  }

  /** Who opened or forwarded a stream need not be who reads it: a stream is left when its reader leaves, and runs till then. */
  #onClose(): void {
    for (const delivery of this.#pending.values()) {
      if (delivery.writer !== undefined) continue;
      delivery.interrupt(new ActorError('the caller is gone', { code: 'ABORTED' }));
    }
    this.#pending.clear();
    this.#arrivedCount.close();
    this.#owner.onClose(this);
  }
}

function asClientMessage(message: WireMessage): ClientMessage {
  if (message.t === 'tell' || message.t === 'ask' || message.t === 'open' || message.t === 'cancel')
    return message;
  throw new ActorError(`an actor got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
