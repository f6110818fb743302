/**
 * The actor's end of one client's channel. Data messages go to the mailbox in order; control messages are
 * handled here, on receipt. A call that its client cancels is aborted if it runs and skipped if it still waits.
 */
import { cellsOf, FlowReceiver } from '../channel/flow-control.ts';
import type { Priority } from '../channel/priority.ts';
import { TellPlaces } from '../channel/tells-under-way.ts';
import { ArrivedCount } from '../channel/under-way.ts';
import { ActorError } from '../errors.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { IdTable } from '../util/id-table.ts';
import { messageOf } from '../util/realms.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ChannelToken, ClientMessage, DataMessage, WireMessage } from '../wire/messages.ts';
import { takeTransfer } from '../wire/moved.ts';
import { postEncoded } from '../wire/payload-codec.ts';
import { smallJson } from '../wire/small-json.ts';
import { CREDIT_TEXT, replyText } from '../wire/text-codec.ts';
import { Arrivals } from './arrivals.ts';
import { Delivery } from './delivery.ts';

export interface InletOwner {
  /** Of the actor. */
  readonly holder: number;
  onDelivery(delivery: Delivery): void;
  onClose(inlet: Inlet): void;
}

interface InletLane {
  readonly flow: FlowReceiver;
  readonly places: TellPlaces;
}

export class Inlet {
  readonly #port: Port;
  readonly #lanes: Readonly<Record<Priority, InletLane>>;
  readonly #arrivedCount: ArrivedCount;
  readonly #owner: InletOwner;
  readonly #pending = new IdTable<Delivery>();
  /** Tells that have come and not ended. */
  #tells = 0;
  /** Its client waits for their end. */
  #isLast = false;

  constructor(token: ChannelToken, owner: InletOwner) {
    this.#port = adoptPort(token.port);
    const lane = (priority: Priority) => ({
      flow: new FlowReceiver(token.flow, priority),
      places: new TellPlaces(cellsOf(token.flow, priority), (cells) =>
        this.#port.post({ t: 'table', priority, cells }),
      ),
    });
    this.#lanes = { high: lane('high'), normal: lane('normal'), low: lane('low') };
    this.#arrivedCount = new ArrivedCount(token);
    this.#owner = owner;
    const arrivals = new Arrivals({
      onData: (message, unreadable) => this.#onData(message, unreadable),
      onControl: (message) => {
        if (message.t === 'last') this.#onLast();
        else this.#cancel(message.id, decodeError(message.error));
      },
      onGap: (number) => this.#port.post({ t: 'unreadable', number }),
    });
    this.#port.listen({
      onMessage: (message) => arrivals.take(asClientMessage(message)),
      onUnreadable: (cause) => arrivals.unreadable(cause),
      onClose: () => {
        arrivals.end();
        this.#onClose();
      },
    });
  }

  /** The delivery leaves the mailbox for its handler. */
  start(delivery: Delivery): void {
    if (delivery.message.t === 'tell') {
      const { flow, places } = this.#lanes[delivery.priority];
      delivery.place = places.take(flow.started);
    }
    this.#count(delivery);
  }

  /** It leaves the mailbox, and no handler will have it. */
  turnAway(delivery: Delivery, error: unknown): void {
    this.#count(delivery);
    this.refuse(delivery, error);
  }

  /** Its client gets the credit back. */
  #count(delivery: Delivery): void {
    delivery.started = true;
    if (this.#lanes[delivery.priority].flow.start(delivery.message.bytes)) this.#sendCredit();
  }

  #sendCredit(): void {
    if (this.#port.byReference) this.#port.post({ t: 'credit' });
    else this.#port.postText(CREDIT_TEXT);
  }

  /** The handler is done. An answer that cannot be sent is a failure. */
  reply(delivery: Delivery, value: unknown): void {
    const { message } = delivery;
    if (message.t === 'tell') {
      this.#endTell(delivery);
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
    if (message.t === 'tell') this.#endTell(delivery);
    else if (this.#pending.delete(message.id)) this.#refuse(message.id, error);
  }

  #endTell({ priority, place }: Delivery): void {
    if (place !== undefined) this.#lanes[priority].places.giveBack(place);
    this.#tells -= 1;
    this.#sayIfAllEnded();
  }

  #sayIfAllEnded(): void {
    if (this.#isLast && this.#tells === 0) this.#sendCredit();
  }

  #refuse(id: number, error: unknown): void {
    this.#port.post({ t: 'refusal', id, error: encodeError(error) });
  }

  close(): void {
    this.#port.close();
  }

  #cancel(id: number, error: Error): void {
    const delivery = this.#pending.get(id);
    this.#pending.delete(id);
    delivery?.interrupt(error);
  }

  #onLast(): void {
    this.#isLast = true;
    this.#sayIfAllEnded();
  }

  #onData(message: DataMessage, unreadable: Error | undefined): void {
    const writer = message.t === 'open' ? new StreamWriter(message.writer, this.#owner.holder) : undefined;
    const delivery = new Delivery(this, message, writer, unreadable);
    if (message.t === 'tell') this.#tells += 1;
    else this.#pending.set(message.id, delivery);
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
  switch (message.t) {
    case 'tell':
    case 'ask':
    case 'open':
    case 'cancel':
    case 'last':
    case 'unread':
      return message;
  }
  throw new ActorError(`an actor got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
