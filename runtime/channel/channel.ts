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
import { IdTable } from '../util/id-table.ts';
import { messageOf } from '../util/realms.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { ActorMessage, ChannelToken, DataMessage, WireMessage } from '../wire/messages.ts';
import { decodePayload, postEncoded, type Reviver } from '../wire/payload-codec.ts';
import { askText, priorityText, tellText, tracedText } from '../wire/text-codec.ts';
import type { FlowWindow } from './flow-control.ts';
import { Lane } from './lane.ts';
import { canBeSentAgain, type Outbound, type Withdrawal } from './outbound.ts';
import type { Priority } from './priority.ts';
import { SentCount } from './under-way.ts';

export interface ChannelOwner {
  /** The actor started something and there may be credit again. */
  onCredit(): void;
  /** A `tell` of this method was under way when the actor died; whether it was done, nobody knows. */
  onLostTell(method: string, error: Error): void;
}

export class Channel<Message extends Outbound> implements Withdrawal {
  /** The actor's name, for errors and routing. */
  readonly member: string;
  readonly #holder: number;
  readonly #port: Port;
  readonly #owner: ChannelOwner;
  readonly #revive: Reviver;
  readonly #cells: SharedArrayBuffer;
  readonly #window: FlowWindow;
  readonly #sentCount: SentCount;
  readonly #normal: Lane<Message>;
  /** Made when they are used. */
  #others: Map<Priority, Lane<Message>> | undefined;
  readonly #awaiting = new IdTable<Message>();
  #nextId = 1;
  #posted = 0;
  #open = true;
  /** The actor will say when all tells have ended. */
  #asksForEnd = false;
  #ended = false;

  /** @param holder id of the incarnation as a holder */
  constructor(
    member: string,
    holder: number,
    token: ChannelToken,
    window: FlowWindow,
    owner: ChannelOwner,
    revive: Reviver,
  ) {
    this.member = member;
    this.#holder = holder;
    this.#port = adoptPort(token.port);
    this.#cells = token.flow;
    this.#window = window;
    this.#sentCount = new SentCount(token);
    this.#normal = new Lane(token.flow, window, 'normal');
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
    let backlog = this.#normal.backlog;
    if (this.#others !== undefined) for (const lane of this.#others.values()) backlog += lane.backlog;
    return backlog;
  }

  /** Calls that wait for an answer. */
  get awaiting(): readonly Message[] {
    return this.#awaiting.values();
  }

  /** False once the actor is gone, whatever is known of it. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether a message may be sent now; if not, `onCredit` will be called when it may. */
  hasCredit({ bytes, priority }: Pick<Message, 'bytes' | 'priority'>): boolean {
    return this.#open && this.#lane(priority).hasCredit(bytes);
  }

  /** Counts the next message as sent, unless another client has sent some since `seen` was read: see `SentCount.claim`. */
  claim(seen: number): boolean {
    return this.#sentCount.claim(seen);
  }

  /** Sends; the caller has made sure of credit. */
  post(message: Message): void {
    const id = this.#nextId++;
    const lane = this.#lane(message.priority);
    lane.makeRoom();
    try {
      this.#post(message, id);
    } catch (cause) {
      const error = unsendable(`${this.member}.${message.method}`, cause);
      this.#sentCount.takeBack();
      message.fail(error);
      return;
    }
    lane.posted(message);
    this.#asksForEnd = false;
    this.#sentCount.add();
    message.posted(this, id, this.#posted++);
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
   * fail with `begun`; those that it had not, and that may be sent again, are returned, in order of each priority; the others fail
   * with `unbegun`.
   */
  end(begun: (method: string) => Error, unbegun: (method: string) => Error): readonly Message[] {
    if (this.#ended) return [];
    this.#port.drain();
    this.#ended = true;
    this.#open = false;
    const lanes = this.#lanes;
    const again: Message[] = [];
    for (const message of lanes.flatMap((lane) => lane.takeUnstarted())) {
      if (message.kind !== 'tell' && !this.#awaiting.delete(message.id)) continue; // left by its caller
      message.tookBack();
      if (canBeSentAgain(message)) again.push(message);
      else if (message.kind === 'tell') this.#owner.onLostTell(message.method, unbegun(message.method));
      else message.fail(unbegun(message.method));
    }
    for (const message of this.#awaiting.values()) message.fail(begun(message.method));
    this.#awaiting.clear();
    for (const method of lanes.flatMap(({ tells }) => [...tells]))
      this.#owner.onLostTell(method, begun(method));
    this.#port.close();
    return again;
  }

  /**
   * Nobody here waits for answers any more: an ask is taken only if the actor begins it before it hears of this, and a stream has
   * been given away. What was answered is taken first, calls without an answer fail.
   */
  leaveCalls(why: (method: string) => Error): void {
    if (this.#ended) return;
    this.#port.drain();
    const error = encodeError(new ActorError('the caller is gone', { code: 'ABORTED' }));
    for (const message of this.#awaiting.values()) {
      if (this.#open && message.kind === 'ask') this.#port.post({ t: 'cancel', id: message.id, error });
      message.fail(why(message.method));
    }
    this.#awaiting.clear();
  }

  /** Whether tells have not ended that were sent; if so, `onCredit` will be called when all have: ask again then. */
  awaitsTells(): boolean {
    if (!this.#lanes.some((lane) => lane.holdsTells())) return false;
    if (!this.#asksForEnd) this.#port.post({ t: 'last' });
    this.#asksForEnd = true;
    return true;
  }

  /** Nobody here will send or listen any more, and the actor lives on: it takes what was sent. */
  leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    this.#port.close();
  }

  #post(message: Message, id: number): void {
    const { kind, method, bytes, json, writer, traceparent } = message;
    const priority = message.priority === 'normal' ? undefined : message.priority;
    if (json !== undefined && kind !== 'open' && message.transfer.length === 0 && !this.#port.byReference) {
      let text = kind === 'tell' ? tellText(method, bytes, json) : askText(method, bytes, id, json);
      if (traceparent !== undefined) text = tracedText(traceparent, text);
      if (priority !== undefined) text = priorityText(priority, text);
      this.#port.postText(text, kind === 'tell');
      return;
    }
    postEncoded(message.payload, this.#port, ({ payload, travellers, transfer }) => {
      const fields = { method, payload, travellers, bytes, traceparent, priority };
      if (writer === undefined) {
        const wire: DataMessage = kind === 'tell' ? { t: 'tell', ...fields } : { t: 'ask', id, ...fields };
        this.#port.post(wire, joined(transfer, message.transfer));
        return;
      }
      const moved = writer.move(this.#port, this.#holder);
      try {
        this.#port.post(
          { t: 'open', id, writer: moved.token, ...fields },
          joined(joined(transfer, message.transfer), moved.transfer),
        );
      } catch (error) {
        writer.takeBack(); // whoever forwards it fails it
        throw error;
      }
    });
  }

  #lane(priority: Priority): Lane<Message> {
    if (priority === 'normal') return this.#normal;
    let lane = this.#others?.get(priority);
    if (lane === undefined) {
      lane = new Lane(this.#cells, this.#window, priority);
      this.#others ??= new Map();
      this.#others.set(priority, lane);
    }
    return lane;
  }

  get #lanes(): readonly Lane<Message>[] {
    return this.#others === undefined ? [this.#normal] : [...this.#others.values(), this.#normal];
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
      case 'unreadable':
        this.#sayWhatWas(message.number);
        break;
      case 'table':
        this.#lane(message.priority).addTable(message.cells);
        break;
      default:
        message satisfies never;
    }
  }

  /** The actor could not read a message. It takes the rest of it in its place, so that what is counted there is right, and refuses it. */
  #sayWhatWas(number: number): void {
    const message = this.#lanes.map((lane) => lane.find(number)).find((found) => found !== undefined);
    this.#port.post({ t: 'unread', message: message && withoutPayload(message) });
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

/** A stream went with the message; whoever opened it waits for an answer as for that to an ask. */
function withoutPayload({ kind, id, method, bytes, priority }: Outbound): DataMessage {
  const fields = { method, payload: undefined, bytes, priority };
  return kind === 'tell' ? { t: 'tell', ...fields } : { t: 'ask', id, ...fields };
}

function joined(some: readonly Transferable[], more: readonly Transferable[]): readonly Transferable[] {
  if (some.length === 0) return more;
  return more.length === 0 ? some : [...some, ...more];
}

function asActorMessage(message: WireMessage): ActorMessage {
  switch (message.t) {
    case 'reply':
    case 'refusal':
    case 'credit':
    case 'unreadable':
    case 'table':
      return message;
  }
  throw new ActorError(`a channel's client got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
