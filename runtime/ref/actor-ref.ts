/**
 * What code holds in order to talk to an actor, or to a pool of like actors: a name that outlives restarts.
 *
 * A ref keeps one channel to each live member and an outbox for what cannot be sent yet, because every mailbox
 * is full or every member is being restarted; so work that no actor has started survives a crash. A ref may be
 * put into any message: the receiver gets a ref of its own, with its own channels straight to the members.
 */
import type { LoadBoard } from '../board/load-board.ts';
import type { Outbound } from '../channel/outbound.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { ActorError, type ActorErrorCode, stoppedError } from '../errors.ts';
import type { ChunkOf, FinalOf, MethodNames, Protocol, RequestOf, ResponseOf } from '../protocol.ts';
import type { OpenReaders } from '../stream/open-readers.ts';
import { StreamReader } from '../stream/stream-reader.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { footprint } from '../tensors/byte-footprint.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import type { Port } from '../transport/port.ts';
import { guarded } from '../util/events.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import { type Reviver, SEND, type Sendable } from '../wire/payload-codec.ts';
import { Call, type CallOptions } from './call.ts';
import { Members, type WatchEvent } from './members.ts';
import type { RefToken } from './ref-token.ts';

export const DEFAULT_ASK_DEADLINE_MS = 30_000;
/** Chunks a stream's writer may be ahead of its reader. */
export const DEFAULT_STREAM_WINDOW = 32;
/** Messages a ref holds back while no mailbox has room. */
export const OUTBOX_LIMIT = 1024;

/** `sent`: in a mailbox. `full`: no credit, not sent. `down`: no live member, not sent. */
export type TellStatus = 'sent' | 'full' | 'down';

/** How a stream is opened. */
export interface StreamOptions extends CallOptions {
  /** Chunks the writer may be ahead of the reader. Default 32. */
  readonly window?: number;
}

/** What a thread offers to the refs that live on it. */
export interface RefEnvironment {
  readonly board: LoadBoard;
  readonly deadLetters: DeadLetters;
  /** Revives refs in payloads. */
  readonly revive: Reviver;
  /** Of the streams that the thread reads. */
  readonly readers: OpenReaders;
}

type AnyWriter = StreamWriter<unknown, unknown>;

/**
 * A way to talk to an actor, or to a pool of like actors, that outlives their restarts. Given by `spawn` or
 * `declare`, or received in a message.
 */
export class ActorRef<P extends Protocol> implements Sendable {
  /** Name of the pool. */
  readonly name: string;
  readonly #token: Omit<RefToken, 'feed'>;
  readonly #deadLetters: DeadLetters;
  readonly #readers: OpenReaders;
  readonly #members: Members;
  readonly #outbox = new FifoQueue<Outbound>();
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  readonly #connected = Promise.withResolvers<void>();

  /** @internal */
  constructor(token: RefToken, environment: RefEnvironment) {
    this.name = token.name;
    this.#token = { name: token.name, policy: token.policy, transport: token.transport };
    this.#deadLetters = environment.deadLetters;
    this.#readers = environment.readers;
    this.#members = new Members(token, environment.board, environment.revive, {
      onRoom: () => this.#flush(),
      onUnstarted: (messages) => this.#takeBack(messages),
      onEvent: (event) => this.#onEvent(event),
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
    const { window = DEFAULT_STREAM_WINDOW, signal } = options;
    const [mine, theirs] = this.#portPair();
    const label = `${this.name}.${method}`;
    const writtenBy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const listed = { among: this.#readers, writtenBy };
    const reader = new StreamReader<ChunkOf<P, M>, FinalOf<P, M>>(mine, { window, signal, label, listed });
    const { token: port } = theirs.detach();
    const writer: AnyWriter = new StreamWriter({ port, credits: window, interrupted: undefined, writtenBy });
    reader.awaitHandOver(this.#forward(method, payload, writer, options));
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
    await this.#forward(method, payload, writer as AnyWriter, options);
  }

  /** Names of the live members. */
  get members(): readonly string[] {
    return this.#members.names;
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
    this.#members.close(stoppedError(this.name));
  }

  /** How a ref travels in a message. @internal */
  [SEND](over: Port): ReturnType<Sendable[typeof SEND]> {
    const [mine, theirs] = over.pair();
    const subscription = mine.detach();
    this.#members.feed.post({ t: 'subscribe', port: subscription.token }, subscription.transfer);
    const { token, transfer } = theirs.detach();
    const wire: RefToken = { ...this.#token, feed: token };
    return { wire, transfer };
  }

  #call(
    kind: Call['kind'],
    method: string,
    payload: unknown,
    options?: CallOptions,
    writer?: AnyWriter,
  ): Call {
    const { moved, copied } = footprint(payload, options?.transfer);
    const label = `${this.name}.${method}`;
    return new Call({ ...options, kind, method, payload, label, bytes: moved + copied, writer });
  }

  async #forward(method: string, payload: unknown, writer: AnyWriter, options?: CallOptions): Promise<void> {
    try {
      await this.#submit(this.#call('open', method, payload, options, writer));
    } catch (error) {
      writer.fail(error); // no effect if it was moved
      throw error;
    }
  }

  #submit(call: Call): Promise<unknown> {
    const { closed } = this.#members;
    if (closed !== undefined) call.fail(closed);
    else if (call.wanted && (this.#outbox.size > 0 || !this.#post(call))) this.#hold(call);
    return call.result;
  }

  #post(call: Outbound): boolean {
    const withdraw = this.#members.post(call);
    if (withdraw !== undefined) call.posted(withdraw);
    return withdraw !== undefined;
  }

  #hold(call: Call): void {
    while (this.#outbox.remove(({ wanted }) => !wanted) !== undefined);
    if (this.#outbox.size < OUTBOX_LIMIT) this.#outbox.push(call);
    else call.fail(outboxFull(this.name));
  }

  #flush(): void {
    for (let call = this.#outbox.shift(); call !== undefined; call = this.#outbox.shift()) {
      if (!call.wanted || this.#post(call)) continue;
      this.#outbox.unshift(call);
      return;
    }
  }

  #takeBack(messages: readonly Outbound[]): void {
    const { closed } = this.#members;
    for (const message of messages.toReversed()) {
      if (closed === undefined) this.#outbox.unshift(message);
      else message.fail(closed);
    }
  }

  #onEvent(event: WatchEvent): void {
    if (event.type !== 'down') this.#connected.resolve();
    if (event.type === 'closed') for (const call of this.#outbox.drain()) call.fail(event.error);
    for (const watcher of [...this.#watchers]) guarded(`a watcher of ${this.name}`, () => watcher(event));
  }

  #undeliverable(method: string, status: 'full' | 'down'): TellStatus {
    const code: ActorErrorCode = status === 'full' ? 'MAILBOX_FULL' : 'ACTOR_DIED';
    this.#deadLetters.add({ actor: this.name, method, code });
    return status;
  }

  /** Ports that can reach any member, now or after a restart. */
  #portPair(): readonly [Port, Port] {
    return this.#token.transport === 'thread' ? MessagePortTransport.pair() : this.#members.feed.pair();
  }
}

function outboxFull(actor: string): ActorError {
  return new ActorError(`${actor}: every mailbox is full and ${OUTBOX_LIMIT} messages wait`, {
    code: 'MAILBOX_FULL',
    retrySafe: true,
    details: { actor, limit: OUTBOX_LIMIT },
  });
}
