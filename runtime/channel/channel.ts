/**
 * The client's end of a connection to one incarnation of an actor: FIFO, at most once, bounded by credits.
 * A channel lives as long as the incarnation; the ref that owns it (`ref/ref-core.ts`) outlives both.
 *
 * When the port closes nothing more is sent, but what becomes of the messages is decided when it is known why: the
 * owner hears of the incarnation's end from its group, and calls `end`.
 */
import type { Transferable } from 'node:worker_threads';
import { ActorError } from '../errors.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import { messageOf } from '../util/realms.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ActorMessage, ChannelToken, DataMessage, WireMessage } from '../wire/messages.ts';
import { decodePayload, encodePayload, type Reviver } from '../wire/payload-codec.ts';
import { askText, tellText, tracedText } from '../wire/text-codec.ts';
import { FlowSender, type FlowWindow } from './flow-control.ts';
import { canBeSentAgain, type Outbound, type Withdrawal } from './outbound.ts';

export interface ChannelOwner {
  /** The actor started something and there may be credit again. */
  onCredit(): void;
  /** A `tell` of this method was under way when the actor died; whether it was done, nobody knows. */
  onLostTell(method: string, error: Error): void;
}

/** To look costs as much as to send; so that is done for so many messages at once, or for one that holds much memory. */
const FORGOTTEN_AT_ONCE = 64;
const LARGE_BYTES = 16 * 1024;

export class Channel<Message extends Outbound> implements Withdrawal {
  /** The actor's name, for errors and routing. */
  readonly member: string;
  readonly #port: Port;
  readonly #flow: FlowSender;
  readonly #owner: ChannelOwner;
  readonly #revive: Reviver;
  /** Sent and, as far as was last looked, not started. */
  readonly #unstarted = new FifoQueue<Message>();
  readonly #awaiting = new Map<number, Message>();
  /** Methods of tells that have started and, as far as was last looked, not ended. */
  readonly #tells = new FifoQueue<string>();
  #tellsEnded = 0;
  /** Something large was sent since it was last looked at what has started. */
  #holdsLarge = false;
  #nextId = 1;
  #open = true;
  #ended = false;

  constructor(member: string, token: ChannelToken, window: FlowWindow, owner: ChannelOwner, revive: Reviver) {
    this.member = member;
    this.#port = adoptPort(token.port);
    this.#flow = new FlowSender(token.flow, window);
    this.#owner = owner;
    this.#revive = revive;
    this.#port.listen({
      onMessage: (message) => this.#onMessage(asActorMessage(message)),
      onClose: () => {
        this.#open = false;
      },
    });
  }

  /** Messages that lie in the actor's mailbox, sent from here. */
  get backlog(): number {
    return this.#flow.unstarted;
  }

  /** Calls that wait for an answer. */
  get awaiting(): readonly Message[] {
    return [...this.#awaiting.values()];
  }

  /** False once the actor is gone, whatever is known of it. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether a message of so many bytes may be sent now; if not, `onCredit` will be called when it may. */
  hasCredit(bytes: number): boolean {
    if (!this.#open) return false;
    if (this.#flow.hasCredit(bytes)) return true;
    this.#flow.requestCredit();
    return this.#flow.hasCredit(bytes);
  }

  /** Sends; the caller has made sure of credit. */
  post(message: Message): void {
    const id = this.#nextId++;
    if (this.#holdsLarge || id % FORGOTTEN_AT_ONCE === 0) this.#forgetStarted();
    try {
      this.#post(message, id);
    } catch (cause) {
      const error = unsendable(`${this.member}.${message.method}`, cause);
      message.writer?.takeBack(error);
      message.fail(error);
      return;
    }
    this.#flow.spend(message.bytes);
    this.#unstarted.push(message);
    if (message.bytes > LARGE_BYTES) this.#holdsLarge = true;
    message.posted(this, id);
    if (message.kind === 'tell') message.succeed(undefined);
    else this.#awaiting.set(id, message);
  }

  withdraw(id: number, error: Error): void {
    if (this.#awaiting.delete(id) && this.#open) {
      this.#port.post({ t: 'cancel', id, error: encodeError(error) });
    }
  }

  /**
   * The incarnation is over, or is not to be talked to any more. What it has sent is taken first. Calls that it had begun
   * fail with `begun`; those that it had not, and that may be sent again, are returned, in order; the others of them fail
   * with `unbegun`.
   */
  end(begun: (method: string) => Error, unbegun: (method: string) => Error): readonly Message[] {
    if (this.#ended) return [];
    this.#port.drain();
    this.#ended = true;
    this.#open = false;
    this.#forgetStarted();
    const again: Message[] = [];
    for (let message = this.#unstarted.shift(); message !== undefined; message = this.#unstarted.shift()) {
      if (message.kind !== 'tell' && !this.#awaiting.delete(message.id)) continue; // left by its caller
      message.tookBack();
      if (canBeSentAgain(message)) again.push(message);
      else if (message.kind === 'tell') this.#owner.onLostTell(message.method, unbegun(message.method));
      else message.fail(unbegun(message.method));
    }
    for (const message of this.#awaiting.values()) message.fail(begun(message.method));
    this.#awaiting.clear();
    for (const method of this.#tells) this.#owner.onLostTell(method, begun(method));
    this.#port.close();
    return again;
  }

  #post(message: Message, id: number): void {
    const { kind, method, bytes, json, writer, traceparent } = message;
    if (json !== undefined && kind !== 'open' && message.transfer.length === 0 && !this.#port.byReference) {
      const text = kind === 'tell' ? tellText(method, bytes, json) : askText(method, bytes, id, json);
      this.#port.postText(traceparent === undefined ? text : tracedText(traceparent, text), kind === 'tell');
      return;
    }
    const { payload, travellers, transfer } = encodePayload(message.payload, this.#port);
    const fields = { method, payload, travellers, bytes, traceparent };
    if (writer === undefined) {
      const wire: DataMessage = kind === 'tell' ? { t: 'tell', ...fields } : { t: 'ask', id, ...fields };
      this.#port.post(wire, joined(transfer, message.transfer));
      return;
    }
    const moved = writer.move();
    this.#port.post(
      { t: 'open', id, writer: moved.token, ...fields },
      joined(joined(transfer, message.transfer), moved.transfer),
    );
  }

  #forgetStarted(): void {
    this.#holdsLarge = false;
    const unstarted = this.#flow.unstarted;
    while (this.#unstarted.size > unstarted) {
      const started = this.#unstarted.shift();
      if (started?.kind === 'tell') this.#tells.push(started.method);
    }
    if (this.#tells.size === 0) return;
    const ended = this.#flow.tellsEnded;
    while (this.#tells.size > 0 && this.#tellsEnded !== ended) {
      this.#tells.shift();
      this.#tellsEnded = (this.#tellsEnded + 1) | 0;
    }
  }

  #onMessage(message: ActorMessage): void {
    switch (message.t) {
      case 'reply':
        this.#take(message.id)?.succeed(decodePayload(message.value, message.travellers, this.#revive));
        break;
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

  #take(id: number): Message | undefined {
    const message = this.#awaiting.get(id);
    this.#awaiting.delete(id);
    return message;
  }
}

/** What cannot be cloned, or whose buffers are gone already. */
export function unsendable(what: string, cause: unknown): ActorError {
  return new ActorError(`${what}: the payload cannot be sent: ${messageOf(cause)}`, {
    code: 'PROTOCOL_VIOLATION',
    details: { method: what },
    cause,
  });
}

function joined(some: readonly Transferable[], more: readonly Transferable[]): readonly Transferable[] {
  if (some.length === 0) return more;
  return more.length === 0 ? some : [...some, ...more];
}

function asActorMessage(message: WireMessage): ActorMessage {
  if (message.t === 'reply' || message.t === 'refusal' || message.t === 'credit') return message;
  throw new ActorError(`a channel's client got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
