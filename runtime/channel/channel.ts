/**
 * The client's end of a connection to one incarnation of an actor: FIFO, at most once, bounded by credits.
 * A channel lives as long as the incarnation; the ref that owns it (`ref/actor-ref.ts`) outlives both.
 */
import { ActorError } from '../errors.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ActorMessage, ChannelToken, DataMessage, WireMessage } from '../wire/messages.ts';
import { decodePayload, encodePayload, type Reviver } from '../wire/payload-codec.ts';
import { FlowSender } from './flow-control.ts';
import { canBeSentAgain, type Outbound } from './outbound.ts';

export interface ChannelOwner {
  /** The actor started something and there may be credit again. */
  onCredit(): void;
  /** The incarnation is gone. `unstarted`: messages it never began, in order, that may be sent again. */
  onClose(channel: Channel, unstarted: readonly Outbound[]): void;
}

interface Sent {
  readonly message: Outbound;
  readonly id: number;
}

export class Channel {
  /** The actor's name, for errors and routing. */
  readonly member: string;
  readonly #port: Port;
  readonly #flow: FlowSender;
  readonly #owner: ChannelOwner;
  readonly #revive: Reviver;
  /** Sent and, as far as was last looked, not started. */
  readonly #unstarted = new FifoQueue<Sent>();
  readonly #awaiting = new Map<number, Outbound>();
  #nextId = 1;
  #open = true;

  constructor(member: string, token: ChannelToken, owner: ChannelOwner, revive: Reviver) {
    this.member = member;
    this.#port = adoptPort(token.port);
    this.#flow = new FlowSender(token.flow);
    this.#owner = owner;
    this.#revive = revive;
    this.#port.listen({
      onMessage: (message) => this.#onMessage(asActorMessage(message)),
      onClose: () => this.#onClose(),
    });
  }

  /** Messages that lie in the actor's mailbox, sent from here. */
  get backlog(): number {
    return this.#flow.unstarted;
  }

  /** Whether a message of so many bytes may be sent now; if not, `onCredit` will be called when it may. */
  hasCredit(bytes: number): boolean {
    if (!this.#open) return false;
    if (this.#flow.hasCredit(bytes)) return true;
    this.#flow.requestCredit();
    return this.#flow.hasCredit(bytes);
  }

  /** Sends; the caller has made sure of credit. Returns a function that withdraws the message. */
  post(message: Outbound): (error: Error) => void {
    this.#forgetStarted();
    const id = this.#nextId++;
    try {
      this.#post(message, id);
    } catch (cause) {
      const error = new ActorError(`${this.member}.${message.method}: the payload cannot be sent`, {
        code: 'PROTOCOL_VIOLATION',
        cause,
      });
      message.writer?.takeBack(error);
      message.fail(error);
      return () => {};
    }
    this.#flow.spend(message.bytes);
    this.#unstarted.push({ message, id });
    if (message.kind === 'tell') {
      message.succeed(undefined);
      return () => {};
    }
    this.#awaiting.set(id, message);
    return (error) => {
      if (this.#awaiting.delete(id)) this.#port.post({ t: 'cancel', id, error: encodeError(error) });
    };
  }

  close(): void {
    this.#port.close();
  }

  #post(message: Outbound, id: number): void {
    const { payload, rich, transfer } = encodePayload(message.payload, this.#port);
    const fields = { method: message.method, payload, rich, bytes: message.bytes };
    if (message.writer === undefined) {
      const wire: DataMessage =
        message.kind === 'tell' ? { t: 'tell', ...fields } : { t: 'ask', id, ...fields };
      this.#port.post(wire, [...transfer, ...message.transfer]);
      return;
    }
    const moved = message.writer.move();
    this.#port.post({ t: 'open', id, writer: moved.token, ...fields }, [
      ...transfer,
      ...message.transfer,
      ...moved.transfer,
    ]);
  }

  #forgetStarted(): void {
    while (this.#unstarted.size > this.#flow.unstarted) this.#unstarted.shift();
  }

  #onMessage(message: ActorMessage): void {
    switch (message.t) {
      case 'reply': {
        const value = message.rich ? decodePayload(message.value, this.#revive) : message.value;
        this.#take(message.id)?.succeed(value);
        break;
      }
      case 'refusal':
        this.#take(message.id)?.fail(decodeError(message.error));
        break;
      case 'credit':
        this.#owner.onCredit();
        break;
      default:
        message satisfies never;
    }
  }

  #take(id: number): Outbound | undefined {
    const message = this.#awaiting.get(id);
    this.#awaiting.delete(id);
    return message;
  }

  #onClose(): void {
    this.#open = false;
    this.#forgetStarted();
    const unstarted: Outbound[] = [];
    for (let sent = this.#unstarted.shift(); sent !== undefined; sent = this.#unstarted.shift()) {
      if (!canBeSentAgain(sent.message) || !sent.message.wanted) continue;
      this.#awaiting.delete(sent.id);
      unstarted.push(sent.message);
    }
    for (const message of this.#awaiting.values()) {
      message.fail(
        new ActorError(`${this.member} died before it answered ${message.method}`, {
          code: 'ACTOR_DIED',
          retrySafe: true,
          details: { actor: this.member, method: message.method },
        }),
      );
    }
    this.#awaiting.clear();
    this.#owner.onClose(this, unstarted);
  }
}

function asActorMessage(message: WireMessage): ActorMessage {
  if (message.t === 'reply' || message.t === 'refusal' || message.t === 'credit') return message;
  throw new ActorError(`a channel's client got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
