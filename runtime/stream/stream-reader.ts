/**
 * The reading end of a stream: an async iterable of chunks and a promise of the final value.
 *
 * Every reader settles exactly once: with the final value, with the writer's failure, or with `ACTOR_DIED` when
 * the port closes without either, which is how the death of whichever actor holds the writer is noticed, at
 * once and without a heartbeat; what it died of is said by the system, so that is waited for. Leaving the loop early
 * (`break`) or aborting the signal interrupts the writer.
 */
import { type Deadline, deadlineIn } from '../channel/deadlines.ts';
import { ActorError, abortedError } from '../errors.ts';
import type { Port } from '../transport/port.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import { messageOf } from '../util/realms.ts';
import { after, LONGEST_TIMER_MS } from '../util/timers.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import type { WireMessage, WriterMessage } from '../wire/messages.ts';
import { decodePayload, type Reviver, type Traveller } from '../wire/payload-codec.ts';
import type { OpenReaders } from './open-readers.ts';

/** The system says why an actor ended as soon as it knows of it. It says nothing of one that belongs to another system. */
const MOST_WAITED_FOR_REASON_MS = 1_000;

export interface StreamReaderOptions {
  /** Chunks the writer may send ahead of the reader. */
  readonly window: number;
  /** Bytes of them. */
  readonly windowBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Until it has ended, ms. */
  readonly deadlineMs?: number | undefined;
  /** Told when the stream is left from this side: its hand-over is to be given up if it has not happened. */
  readonly onLeft?: (error: Error) => void;
  /** Of refs in chunks and the final value. */
  readonly revive: Reviver;
  /** Shown in errors: the actor and method that were called. */
  readonly label: string;
  /** Where it is listed while it is open, and who writes it. */
  readonly listed?: { readonly among: OpenReaders; readonly writtenBy: SharedArrayBuffer } | undefined;
}

type Outcome<Final> =
  | { readonly ok: true; readonly value: Final }
  | { readonly ok: false; readonly error: Error };

/**
 * The reading end of a stream: iterate for chunks, await `final` for the value it ends with. Leaving the loop early
 * interrupts the writer.
 */
export class StreamReader<Chunk, Final> implements AsyncIterable<Chunk, void> {
  readonly #port: Port;
  readonly #options: StreamReaderOptions;
  /** Boxed, since a chunk may be undefined. */
  readonly #chunks = new FifoQueue<{ readonly value: Chunk; readonly bytes: number }>();
  readonly #final = Promise.withResolvers<Final>();
  readonly #onAbort = () => this.cancel(this.#options.signal?.reason);
  #handedOver: Promise<void> = Promise.resolve();
  #outcome: Outcome<Final> | undefined;
  #wake: (() => void) | undefined;
  #deadline: Deadline | undefined;
  /** Its port has closed, and the reason is waited for. */
  #reasonTimer: NodeJS.Timeout | undefined;
  #isIterated = false;
  /** By the loop, which has not failed then. */
  #isLeft = false;
  #received = 0;
  #ungranted = 0;
  #ungrantedBytes = 0;

  /** @internal */
  constructor(port: Port, options: StreamReaderOptions) {
    this.#port = port;
    this.#options = options;
    // The failure also reaches the loop over the chunks; a caller who reads only that is not at fault.
    this.#final.promise.catch(() => {});
    port.listen({
      onMessage: (message) => this.#onMessage(asWriterMessage<Chunk, Final>(message)),
      onClose: () => this.#onClose(),
      onUnreadable: (cause) => {
        const problem = `${options.label}: a chunk cannot be read: ${messageOf(cause)}`;
        this.#interrupt(new ActorError(problem, { code: 'PROTOCOL_VIOLATION', cause }));
      },
    });
    const { signal, listed } = options;
    listed?.among.add(this);
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (
      this.#outcome === undefined &&
      options.deadlineMs !== undefined &&
      options.deadlineMs <= LONGEST_TIMER_MS
    ) {
      this.#deadline = deadlineIn(options.deadlineMs);
      this.#deadline.add(this);
    }
  }

  /** The value the stream ended with. Settles only as chunks are consumed, since the writer needs credit. */
  get final(): Promise<Final> {
    return this.#final.promise;
  }

  /** @internal */
  get isSettled(): boolean {
    return this.#outcome !== undefined;
  }

  /** Id of the actor that writes it; 0 when nobody does. @internal */
  get writtenBy(): number {
    const { listed } = this.#options;
    return listed === undefined ? 0 : Atomics.load(new Int32Array(listed.writtenBy), 0);
  }

  /** Whoever writes it will not go on. Unless it is left behind, its port closes when what was written before has been read. @internal */
  onOver(why: Error, isLeft: boolean): void {
    if (isLeft) {
      this.#port.drain();
      this.#onceHandedOver(() => this.#die(why));
    } else if (this.#reasonTimer !== undefined) this.#die(why);
  }

  /** Chunks that have arrived, consumed or not. */
  get received(): number {
    return this.#received;
  }

  /** Interrupts the writer and settles the stream with `ABORTED`. No effect on a settled stream. */
  cancel(reason?: unknown): void {
    if (this.#outcome !== undefined) return;
    this.#interrupt(abortedError(this.#options.label, reason, false));
  }

  /** Its time is over. @internal */
  expire(): void {
    const { label, deadlineMs = 0 } = this.#options;
    this.#interrupt(
      new ActorError(`${label} had not ended within ${deadlineMs} ms`, {
        code: 'ASK_TIMEOUT',
        details: { deadlineMs },
      }),
    );
  }

  #interrupt(error: ActorError): void {
    if (this.#outcome !== undefined) return;
    this.#port.post({ t: 'interrupt', error: encodeError(error) });
    this.fail(error);
    this.#options.onLeft?.(error);
  }

  /** Settles the stream from this side. @internal */
  fail(error: Error): void {
    this.#settle({ ok: false, error });
  }

  /**
   * The writer is on its way to an actor. If that fails, so does the stream. Until it has settled, a closed port
   * proves nothing: an actor's death closes this port and the channel to it in either order, and only when the
   * channel has gone will a new attempt avoid the dead actor.
   * @internal
   */
  awaitHandOver(handedOver: Promise<void>): void {
    this.#handedOver = handedOver;
    handedOver.catch((error: Error) => {
      this.#port.drain(); // what was written before it failed
      this.fail(error);
    });
  }

  /**
   * The chunks, each once; to be iterated once, or `PROTOCOL_VIOLATION` is thrown. Throws what the stream failed with,
   * `ACTOR_DIED` when its writer is no more.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Chunk, void> {
    if (this.#isIterated) {
      const problem = `${this.#options.label}: the stream is read by another loop; a stream has one`;
      throw new ActorError(problem, { code: 'PROTOCOL_VIOLATION' });
    }
    this.#isIterated = true;
    const chunks = this.#read();
    const finish = chunks.return.bind(chunks);
    // A generator waits with it for the chunk that is asked for, and knows nothing of it before the first was.
    chunks.return = (value) => {
      this.#isLeft = true;
      this.cancel();
      return finish(value);
    };
    return chunks;
  }

  async *#read(): AsyncGenerator<Chunk, void> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#grant(chunk.bytes);
          yield chunk.value;
        } else if (this.#outcome === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if (this.#outcome.ok || this.#isLeft) {
          return;
        } else {
          throw this.#outcome.error;
        }
      }
    } finally {
      this.cancel();
    }
  }

  /** Half a window at a time, of chunks or of bytes: so a writer without credit always has more than half of it unread. */
  #grant(bytes: number): void {
    this.#ungranted += 1;
    this.#ungrantedBytes += bytes;
    if (this.#outcome !== undefined) return;
    const { window, windowBytes } = this.#options;
    if (this.#ungranted * 2 < window && this.#ungrantedBytes * 2 < windowBytes) return;
    this.#port.post({ t: 'pull', credits: this.#ungranted, bytes: this.#ungrantedBytes });
    this.#ungranted = 0;
    this.#ungrantedBytes = 0;
  }

  #onMessage(message: WriterMessageOf<Chunk, Final>): void {
    switch (message.t) {
      case 'chunk':
        this.#received += 1;
        this.#chunks.push({ value: this.#revived(message), bytes: message.bytes });
        this.#notify();
        break;
      case 'end':
        this.#settle({ ok: true, value: this.#revived(message) });
        break;
      case 'fail':
        this.#settle({ ok: false, error: decodeError(message.error) });
        break;
      default:
        message satisfies never;
    }
  }

  #revived<Value extends Chunk | Final>(message: {
    readonly value: Value;
    readonly travellers?: readonly Traveller[] | undefined;
  }): Value {
    return decodePayload(message.value, message.travellers, this.#options.revive) as Value;
  }

  #onClose(): void {
    this.#onceHandedOver(() => {
      if (this.#outcome !== undefined) return;
      const why = this.#options.listed?.among.whyOver(this.writtenBy);
      if (why !== undefined || this.writtenBy === 0) this.#die(why);
      else this.#reasonTimer = after(MOST_WAITED_FOR_REASON_MS, () => this.#die(undefined));
    });
  }

  #onceHandedOver(run: () => void): void {
    this.#handedOver.then(run, () => {}); // has failed the stream already
  }

  #die(cause: Error | undefined): void {
    const { label } = this.#options;
    const problem =
      cause === undefined
        ? `${label}: the actor that was answering died`
        : `${cause.message}, before it ended ${label}`;
    this.fail(new ActorError(problem, { code: 'ACTOR_DIED', cause }));
  }

  #settle(outcome: Outcome<Final>): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#options.listed?.among.delete(this);
    this.#deadline?.noteSettled();
    clearTimeout(this.#reasonTimer);
    this.#port.close();
    if (outcome.ok) this.#final.resolve(outcome.value);
    else this.#final.reject(outcome.error);
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

type WriterMessageOf<Chunk, Final> =
  | (Extract<WriterMessage, { t: 'chunk' }> & { readonly value: Chunk })
  | (Extract<WriterMessage, { t: 'end' }> & { readonly value: Final })
  | Extract<WriterMessage, { t: 'fail' }>;

/** The value types are those of the protocol that both ends share; the wire carries no types to check. */
function asWriterMessage<Chunk, Final>(message: WireMessage): WriterMessageOf<Chunk, Final> {
  if (message.t === 'chunk' || message.t === 'end' || message.t === 'fail') {
    return message as WriterMessageOf<Chunk, Final>;
  }
  throw new ActorError(`a stream's reader got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
