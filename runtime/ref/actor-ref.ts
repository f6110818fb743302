/**
 * What code holds in order to talk to an actor, or to a pool of like actors: a name that outlives restarts.
 *
 * A ref may be put into any message: the receiver gets a ref of its own, with its own channels straight to the members.
 */
import type { ChunkOf, FinalOf, MethodNames, Protocol, RequestOf, ResponseOf } from '../protocol.ts';
import { StreamReader } from '../stream/stream-reader.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import type { Port } from '../transport/port.ts';
import { SEND, type Sendable } from '../wire/payload-codec.ts';
import { type CallOptions, checkedOptions, readOption } from './call-options.ts';
import type { WatchEvent } from './members.ts';
import type { RefCore, TellStatus } from './ref-core.ts';

export const DEFAULT_ASK_DEADLINE_MS = 30_000;
/** Chunks a stream's writer may be ahead of its reader. */
export const DEFAULT_STREAM_WINDOW = 32;
/** Bytes of them. */
export const DEFAULT_STREAM_WINDOW_BYTES = 64 * 1024 * 1024;

/** How a stream is opened. */
export interface StreamOptions extends CallOptions {
  /** Chunks the writer may be ahead of the reader. Default 32. */
  readonly window?: number;
  /** Bytes of them; a chunk larger than this may be ahead alone. Default 64 MiB. */
  readonly windowBytes?: number;
}

type AnyWriter = StreamWriter<unknown, unknown>;

/**
 * A way to talk to an actor, or to a pool of like actors, that outlives their restarts. Given by `spawn` or
 * `declare`, or received in a message.
 */
export class ActorRef<P extends Protocol> implements Sendable {
  /** Name of the pool. */
  readonly name: string;
  readonly #core: RefCore;

  /** @internal */
  constructor(core: RefCore) {
    this.name = core.facts.name;
    this.#core = core;
  }

  /** Sends without waiting and without an answer. Never throws: a message that cannot be sent becomes a dead letter. */
  tell<M extends MethodNames<P, 'tell'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): TellStatus {
    return this.#core.tell(method, payload, options);
  }

  /**
   * Like `tell`, but waits for room, however many wait. Resolves when the message is in a mailbox; one whose `send` was
   * rejected will not be delivered. Rejects when the actor is stopped or given up, and with `deadlineMs` and `signal`.
   */
  async send<M extends MethodNames<P, 'tell'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#core.submit('tell', method, payload, checkedOptions(method, options), true);
  }

  /** Asks and waits for the answer. Rejects with the actor's declared failure or an `ActorError`. */
  ask<M extends MethodNames<P, 'ask'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: CallOptions,
  ): Promise<ResponseOf<P, M>> {
    try {
      const checked = checkedOptions(method, options);
      const timed = checked?.deadlineMs === undefined ? inUsualTime(checked) : checked;
      // The actor's handler is typed by the same protocol.
      return this.#core.submit('ask', method, payload, timed, false) as Promise<ResponseOf<P, M>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks every member of the pool that is there now; answers by member. Rejects when one of them fails.
   */
  async askEach<M extends MethodNames<P, 'ask'>>(
    method: M,
    payload: RequestOf<P, M>,
    options?: Omit<CallOptions, 'member' | 'routeKey' | 'transfer'>,
  ): Promise<Map<string, ResponseOf<P, M>>> {
    const checked = checkedOptions(method, options);
    const answers = this.members.map(
      async (member) => [member, await this.ask(method, payload, { ...checked, member })] as const,
    );
    return new Map(await Promise.all(answers));
  }

  /** Tells every member of the pool that is there now; what became of it by member. */
  tellEach<M extends MethodNames<P, 'tell'>>(method: M, payload: RequestOf<P, M>): Map<string, TellStatus> {
    return new Map(this.members.map((member) => [member, this.tell(method, payload, { member })]));
  }

  /** Opens a stream that the actor, or whichever actor it forwards the stream to, will write. */
  stream<M extends MethodNames<P, 'stream'>>(
    method: M,
    payload: RequestOf<P, M>,
    options: StreamOptions = {},
  ): StreamReader<ChunkOf<P, M>, FinalOf<P, M>> {
    const checked = checkedOptions(method, options);
    const { signal, deadlineMs } = checked ?? {};
    const window =
      readOption(options, 'window', isCount, 'give a whole number of chunks, 1 or more') ??
      DEFAULT_STREAM_WINDOW;
    const windowBytes =
      readOption(options, 'windowBytes', isAboveNothing, 'give a number of bytes above 0') ??
      DEFAULT_STREAM_WINDOW_BYTES;
    const [mine, theirs] = this.#portPair();
    const left = new AbortController();
    const label = `${this.name}.${method}`;
    const writtenBy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const { readers: among, revive } = this.#core.environment;
    const reader = new StreamReader<ChunkOf<P, M>, FinalOf<P, M>>(mine, {
      window,
      windowBytes,
      signal,
      deadlineMs,
      label,
      onLeft: (error) => left.abort(error),
      revive,
      listed: { among, writtenBy },
    });
    const { token: port } = theirs.detach();
    const writer: AnyWriter = new StreamWriter({
      port,
      credits: window,
      byteCredits: windowBytes,
      interrupted: undefined,
      writtenBy,
    });
    reader.awaitHandOver(this.#forward(method, payload, writer, { ...checked, signal: left.signal }));
    return reader;
  }

  /**
   * Hands a stream that this actor was to write over to another. Resolves when the other's handler is done with
   * the hand-over (it has taken what it needs from the payload); rejects when it was not taken over, in which
   * case the stream has been failed with the same error. `deadlineMs` is that of the hand-over.
   */
  async forward<M extends MethodNames<P, 'stream'>>(
    method: M,
    payload: RequestOf<P, M>,
    writer: StreamWriter<ChunkOf<P, M>, FinalOf<P, M>>,
    options?: CallOptions,
  ): Promise<void> {
    let checked: CallOptions | undefined;
    try {
      checked = checkedOptions(method, options);
    } catch (error) {
      writer.fail(error);
      throw error;
    }
    // A writer is only ever called with its own protocol's values; the channel just moves it.
    await this.#forward(method, payload, writer as AnyWriter, checked);
  }

  /** Names of the live members. */
  get members(): readonly string[] {
    const { facts, members, closed } = this.#core;
    if (closed !== undefined) return [];
    return facts.only === undefined ? members.names : members.names.filter((name) => name === facts.only);
  }

  /** Resolves when the first member is known, or the ref is closed. */
  get connected(): Promise<void> {
    return this.#core.connected;
  }

  /** Messages waiting here because no member has room. */
  get outboxSize(): number {
    return this.#core.waiting;
  }

  /** Death watch. Returns a function that ends it. */
  watch(listener: (event: WatchEvent) => void): () => void {
    return this.#core.watch(listener);
  }

  /**
   * Closes this holder's channels. What waits is failed; the actors themselves live on. A ref that came in a message
   * closes by itself when it is forgotten (garbage, that is) and nothing it was used for is under way.
   */
  close(): void {
    this.#core.close();
  }

  /** How a ref travels in a message. @internal */
  [SEND](over: Port): ReturnType<Sendable[typeof SEND]> {
    const [mine, theirs] = over.pair();
    const facts = this.#core.token(mine);
    const { token, transfer } = theirs.detach();
    return { wire: { ...facts, feed: token }, transfer };
  }

  async #forward(method: string, payload: unknown, writer: AnyWriter, options?: CallOptions): Promise<void> {
    try {
      await this.#core.submit('open', method, payload, options, false, writer);
    } catch (error) {
      writer.fail(error); // no effect if it was moved
      throw error;
    }
  }

  /** Ports that can reach any member, now or after a restart. */
  #portPair(): readonly [Port, Port] {
    const { facts, members } = this.#core;
    return facts.transport === 'thread' ? MessagePortTransport.pair() : members.feed.pair();
  }
}

const IN_USUAL_TIME: CallOptions = { deadlineMs: DEFAULT_ASK_DEADLINE_MS };

function inUsualTime(options: CallOptions | undefined): CallOptions {
  return options === undefined ? IN_USUAL_TIME : { ...options, deadlineMs: DEFAULT_ASK_DEADLINE_MS };
}

const isCount = (value: unknown) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
const isAboveNothing = (value: unknown) => typeof value === 'number' && value > 0;
