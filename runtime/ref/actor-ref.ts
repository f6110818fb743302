/**
 * What code holds in order to talk to an actor, or to a pool of like actors: a name that outlives restarts.
 *
 * A ref keeps one channel to each live member and an outbox for what cannot be sent yet, because every mailbox
 * is full or every member is being restarted; so work that no actor has started survives a crash. A ref may be
 * put into any message: the receiver gets a ref of its own, with its own channels straight to the members.
 */
import type { LoadBoard } from '../board/load-board.ts';
import { Channel } from '../channel/channel.ts';
import type { Outbound } from '../channel/outbound.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { ActorError, type ActorErrorCode } from '../errors.ts';
import type { ChunkOf, FinalOf, MethodNames, Protocol, RequestOf, ResponseOf } from '../protocol.ts';
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import { type RoutingPolicy, routingPolicy } from '../routing/routing-policy.ts';
import { StreamReader } from '../stream/stream-reader.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { footprint } from '../tensors/byte-footprint.ts';
import { adoptPort } from '../transport/adopt.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import type { Port } from '../transport/port.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import { decodeError } from '../wire/error-codec.ts';
import type { MembershipMessage } from '../wire/messages.ts';
import { type Reviver, SEND, type Sendable } from '../wire/payload-codec.ts';
import { Call, type CallOptions } from './call.ts';
import type { RefToken } from './ref-token.ts';

export const DEFAULT_ASK_DEADLINE_MS = 30_000;
/** Chunks a stream's writer may be ahead of its reader. */
export const DEFAULT_STREAM_WINDOW = 32;
/** Messages a ref holds back while no mailbox has room. */
export const DEFAULT_OUTBOX_LIMIT = 1024;

/** `sent`: in a mailbox. `full`: no credit, not sent. `down`: no live member, not sent. */
export type TellStatus = 'sent' | 'full' | 'down';

export interface StreamOptions extends CallOptions {
  readonly window?: number;
}

/** What a thread offers to the refs that live on it. */
export interface RefEnvironment {
  readonly board: LoadBoard;
  readonly deadLetters: DeadLetters;
  /** Revives refs in payloads. */
  readonly revive: Reviver;
}

export type WatchEvent =
  | { readonly type: 'up'; readonly member: string }
  | { readonly type: 'down'; readonly member: string }
  | { readonly type: 'closed'; readonly error: Error };

interface Member {
  readonly name: string;
  readonly channel: Channel;
  load(): number;
}

export class ActorRef<P extends Protocol> implements Sendable {
  readonly name: string;
  readonly #feed: Port;
  readonly #policyName: RoutingPolicyName;
  readonly #policy: RoutingPolicy;
  readonly #environment: RefEnvironment;
  readonly #transport: RefToken['transport'];
  readonly #members = new Map<string, Member>();
  readonly #outbox = new FifoQueue<Call>();
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  readonly #connected = Promise.withResolvers<void>();
  #closed: Error | undefined;

  constructor(token: RefToken, environment: RefEnvironment) {
    this.name = token.name;
    this.#policyName = token.policy;
    this.#policy = routingPolicy(token.policy);
    this.#environment = environment;
    this.#transport = token.transport;
    this.#feed = adoptPort(token.feed);
    this.#feed.listen({
      onMessage: (message) => this.#onMembership(asMembershipMessage(message)),
      onClose: () => this.#close(stoppedError(this.name)),
    });
  }

  /** Sends without waiting and without an answer. A message that cannot be sent becomes a dead letter. */
  tell<M extends MethodNames<P, 'tell'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): TellStatus {
    if (this.#members.size === 0) return this.#undeliverable(method, 'down');
    const call = this.#call('tell', method, payload, options);
    if (this.#outbox.size > 0 || !this.#post(call)) return this.#undeliverable(method, 'full');
    return 'sent';
  }

  /** Like `tell`, but waits for credit. Rejects when the actor is stopped or the outbox is full. */
  async send<M extends MethodNames<P, 'tell'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#submit(this.#call('tell', method, payload, options));
  }

  /** Asks and waits for the answer. Rejects with the actor's declared failure or an `ActorError`. */
  async ask<M extends MethodNames<P, 'ask'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): Promise<ResponseOf<P, M>> {
    const deadlineMs = options?.deadlineMs ?? DEFAULT_ASK_DEADLINE_MS;
    const answer = await this.#submit(this.#call('ask', method, payload, { ...options, deadlineMs }));
    return answer as ResponseOf<P, M>; // the actor's handler is typed by the same protocol
  }

  /** Opens a stream that the actor, or whichever actor it forwards the stream to, will write. */
  stream<M extends MethodNames<P, 'stream'>>(
    method: M,
    payload: RequestOf<P, M>,
    options: StreamOptions = {},
  ): StreamReader<ChunkOf<P, M>, FinalOf<P, M>> {
    const window = options.window ?? DEFAULT_STREAM_WINDOW;
    const [mine, theirs] = this.#portPair();
    const reader = new StreamReader<ChunkOf<P, M>, FinalOf<P, M>>(mine, {
      window,
      signal: options.signal,
      label: `${this.name}.${method}`,
    });
    const writer = new StreamWriter<unknown, unknown>({
      port: theirs.detach().token,
      credits: window,
      interrupted: undefined,
    });
    this.#forward(method, payload, writer, options).catch((error: Error) => reader.fail(error));
    return reader;
  }

  /**
   * Hands a stream that this actor was to write over to another. Resolves when the other's handler is done with
   * the hand-over (it has taken what it needs from the payload); rejects when it was not taken over, in which
   * case the stream has been failed with the same error.
   */
  async forward<M extends MethodNames<P, 'stream'>>(
    method: M,
    payload: RequestOf<P, M>,
    writer: StreamWriter<ChunkOf<P, M>, FinalOf<P, M>>,
    options?: CallOptions,
  ): Promise<void> {
    // A writer is only ever called with its own protocol's values; the channel just moves it.
    await this.#forward(method, payload, writer as StreamWriter<unknown, unknown>, options);
  }

  /** Names of the live members. */
  get members(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Resolves when the first member is known, or the ref is closed. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Messages waiting here because no member has room. */
  get outboxSize(): number {
    return this.#outbox.size;
  }

  /** Death watch. Returns a function that ends it. */
  watch(listener: (event: WatchEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Closes this holder's channels. What waits is failed; the actors themselves live on. */
  close(): void {
    this.#close(stoppedError(this.name));
  }

  [SEND](over: Port): ReturnType<Sendable[typeof SEND]> {
    const [mine, theirs] = over.pair();
    const subscription = mine.detach();
    this.#feed.post({ t: 'subscribe', port: subscription.token }, subscription.transfer);
    const { token, transfer } = theirs.detach();
    const wire: RefToken = {
      name: this.name,
      policy: this.#policyName,
      transport: this.#transport,
      feed: token,
    };
    return { wire, transfer };
  }

  // ------------------------------------------------------------------------------------------ sending

  #call(
    kind: Call['kind'],
    method: string,
    payload: unknown,
    options: CallOptions = {},
    writer?: Call['writer'],
  ) {
    const { moved, copied } = footprint(payload, options.transfer);
    return new Call({
      ...options,
      kind,
      method,
      payload,
      label: `${this.name}.${method}`,
      bytes: moved + copied,
      ...(writer === undefined ? {} : { writer }),
    });
  }

  async #forward(
    method: string,
    payload: unknown,
    writer: StreamWriter<unknown, unknown>,
    options?: CallOptions,
  ): Promise<void> {
    try {
      await this.#submit(this.#call('open', method, payload, options, writer));
    } catch (error) {
      writer.fail(error); // no effect if it was moved
      throw error;
    }
  }

  #submit(call: Call): Promise<unknown> {
    if (this.#closed !== undefined) call.fail(this.#closed);
    else if (call.wanted && (this.#outbox.size > 0 || !this.#post(call))) this.#hold(call);
    return call.result;
  }

  #hold(call: Call): void {
    while (this.#outbox.remove(({ wanted }) => !wanted) !== undefined);
    if (this.#outbox.size < DEFAULT_OUTBOX_LIMIT) {
      this.#outbox.push(call);
      return;
    }
    const error = new ActorError(
      `${this.name}: every mailbox is full and ${DEFAULT_OUTBOX_LIMIT} messages wait`,
      {
        code: 'MAILBOX_FULL',
        retrySafe: true,
        details: { actor: this.name, limit: DEFAULT_OUTBOX_LIMIT },
      },
    );
    call.fail(error);
  }

  /** Sends to the member that the policy chooses among those with credit; false when there is none. */
  #post(call: Call): boolean {
    const candidates: Member[] = [];
    for (const member of this.#members.values()) {
      if (member.channel.hasCredit(call.bytes)) candidates.push(member);
    }
    const member = this.#policy.choose(candidates, call.routeKey);
    if (member === undefined) return false;
    call.posted(member.channel.post(call));
    return true;
  }

  #flush(): void {
    for (let call = this.#outbox.shift(); call !== undefined; call = this.#outbox.shift()) {
      if (call.wanted && !this.#post(call)) {
        this.#outbox.unshift(call);
        return;
      }
    }
  }

  #undeliverable(method: string, status: 'full' | 'down'): TellStatus {
    const code: ActorErrorCode = status === 'full' ? 'MAILBOX_FULL' : 'ACTOR_DIED';
    this.#environment.deadLetters.add({ actor: this.name, method, code });
    return status;
  }

  /** Ports that can reach any member, now or after a restart. */
  #portPair(): readonly [Port, Port] {
    return this.#transport === 'thread' ? MessagePortTransport.pair() : this.#feed.pair();
  }

  // --------------------------------------------------------------------------------------- membership

  #onMembership(message: MembershipMessage): void {
    switch (message.t) {
      case 'up':
        this.#onUp(message);
        break;
      case 'down':
        this.#members.get(message.member)?.channel.close();
        break;
      case 'closed':
        this.#close(decodeError(message.error));
        break;
      default:
        message satisfies never;
    }
  }

  #onUp(message: Extract<MembershipMessage, { t: 'up' }>): void {
    const { board } = this.#environment;
    const channel = new Channel(
      message.member,
      message.boardSlot,
      message.channel,
      {
        onCredit: () => this.#flush(),
        onClose: (closed, unstarted) => this.#onChannelClosed(closed, unstarted),
      },
      this.#environment.revive,
    );
    // What this ref has in the mailbox is already known here; the board adds what others sent and what runs.
    const load = () => {
      const reading = board.read(message.boardSlot);
      return Math.max(reading.queueDepth, channel.backlog) + reading.running;
    };
    this.#connected.resolve();
    this.#members.set(message.member, { name: message.member, channel, load });
    this.#notify({ type: 'up', member: message.member });
    this.#flush();
  }

  #onChannelClosed(channel: Channel, unstarted: readonly Outbound[]): void {
    if (this.#members.get(channel.member)?.channel === channel) {
      this.#members.delete(channel.member);
      this.#notify({ type: 'down', member: channel.member });
    }
    for (const message of [...unstarted].reverse()) {
      if (this.#closed !== undefined) message.fail(this.#closed);
      else this.#outbox.unshift(message as Call); // a channel returns only what this ref gave it
    }
    this.#flush();
  }

  #close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#connected.resolve();
    this.#feed.close();
    for (const { channel } of this.#members.values()) channel.close();
    for (let call = this.#outbox.shift(); call !== undefined; call = this.#outbox.shift()) call.fail(error);
    this.#notify({ type: 'closed', error });
  }

  #notify(event: WatchEvent): void {
    for (const watcher of [...this.#watchers]) watcher(event);
  }
}

function stoppedError(name: string): ActorError {
  return new ActorError(`${name} is stopped`, { code: 'ACTOR_STOPPED', details: { actor: name } });
}

function asMembershipMessage(message: { readonly t: string }): MembershipMessage {
  if (message.t === 'up' || message.t === 'down' || message.t === 'closed')
    return message as MembershipMessage;
  throw new ActorError(`a ref got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
