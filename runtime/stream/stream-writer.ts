/**
 * The writing end of a stream: what an actor's handler is given to answer with. The other end is a
 * `StreamReader`, usually far up the pipeline: a handler may `forward` its writer to the next actor instead of
 * relaying chunks, and the next actor then talks to the reader directly.
 *
 * Chunks need credit, in number and in bytes, which the reader grants as it consumes. `write` never waits: without credit
 * it returns false and the chunk was not sent, so that one slow reader cannot hold up an actor that serves many.
 */
import { ActorError } from '../errors.ts';
import { footprint } from '../tensors/byte-footprint.ts';
import { adoptPort } from '../transport/adopt.ts';
import { bridge } from '../transport/bridge.ts';
import type { Port } from '../transport/port.ts';
import { decodeError, encodeError, type WireError } from '../wire/error-codec.ts';
import type { ReaderMessage, WireMessage, WriterToken } from '../wire/messages.ts';
import { takeTransfer } from '../wire/moved.ts';
import { postEncoded } from '../wire/payload-codec.ts';
import { type SmallJson, smallJson } from '../wire/small-json.ts';
import { chunkText, endText } from '../wire/text-codec.ts';

/** The writing end of a stream: what the handler of a `stream` method is given to answer with, or to `forward`. */
export class StreamWriter<Chunk, Final> {
  readonly #port: Port;
  readonly #writtenBy: SharedArrayBuffer;
  readonly #holder: number;
  readonly #interrupt = new AbortController();
  #interrupted: WireError | undefined;
  #credits: number;
  /** Below 0 when a chunk larger than the window is under way, alone. */
  #byteCredits: number;
  #state: 'open' | 'settled' | 'moved' = 'open';
  #onReady: Array<() => void> = [];

  /** @internal @param holder of the actor that writes from now on; 0: nobody does yet */
  constructor(token: WriterToken, holder = 0) {
    this.#port = adoptPort(token.port);
    this.#writtenBy = token.writtenBy;
    this.#holder = holder;
    if (holder !== 0) this.#setWriter(holder);
    this.#credits = token.credits;
    this.#byteCredits = token.byteCredits;
    if (token.interrupted !== undefined) this.#onInterrupt(token.interrupted);
    this.#port.listen({
      onMessage: (message) => this.#onMessage(asReaderMessage(message)),
      onClose: () => this.#onClose(),
    });
  }

  /** Aborted when the reader cancels, or is gone. Its reason is the reader's error. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** True until `end`, `fail` or a move to another actor. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Sends a chunk if there is credit for it; false when there is none (or the stream is over). Throws what a clone of the
   * chunk throws; the stream goes on then. What `transfer` marked in it is moved.
   */
  write(chunk: Chunk): boolean {
    if (this.#state !== 'open' || !this.#hasCredit) return false;
    const json = this.#jsonOf(chunk);
    if (json !== undefined) {
      this.#port.postText(chunkText(json), true); // somebody waits for it, and the writer may go on computing
      this.#spend(json.bytes);
      return true;
    }
    const moved = takeTransfer(chunk);
    const counted = footprint(chunk, moved);
    const bytes = counted.copied + counted.moved;
    postEncoded(chunk, this.#port, ({ payload: value, travellers, transfer }) => {
      this.#port.post({ t: 'chunk', value, travellers, bytes }, [...moved, ...transfer]);
    });
    this.#spend(bytes);
    return true;
  }

  /** Calls back once, when there is credit again or the stream is over. */
  onReady(callback: () => void): void {
    if (this.#hasCredit || this.#state !== 'open' || this.signal.aborted) queueMicrotask(callback);
    else this.#onReady.push(callback);
  }

  /** Writes, waiting for credit. Rejects with the reader's error when the stream was interrupted. */
  async send(chunk: Chunk): Promise<void> {
    while (!this.write(chunk)) {
      this.signal.throwIfAborted();
      if (this.#state !== 'open') throw notOpen(this.#state);
      await new Promise<void>((resolve) => this.onReady(resolve));
    }
  }

  /**
   * Ends the stream with its final value. No effect on one that is over. Throws what a clone of the value throws; the
   * stream is open then, and can be failed. What `transfer` marked in it is moved.
   */
  end(final: Final): void {
    if (this.#state !== 'open') return;
    const json = this.#jsonOf(final);
    if (json !== undefined) this.#port.postText(endText(json), true);
    else {
      const moved = takeTransfer(final);
      postEncoded(final, this.#port, ({ payload: value, travellers, transfer }) => {
        this.#port.post({ t: 'end', value, travellers }, [...moved, ...transfer]);
      });
    }
    this.#over();
  }

  /** Ends the stream with a failure, which keeps class, code, fields and cause. No effect on one that is over. */
  fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#port.post({ t: 'fail', error: encodeError(error) });
    this.#over();
  }

  /**
   * Gives the stream away. After this the writer is dead here. Called by a ref that forwards it.
   * @param over by which it leaves
   * @param to holder id of the actor that gets it
   * @throws ActorError `PROTOCOL_VIOLATION` it is over, or was given away already
   * @internal
   */
  move(
    over: Port,
    to: number,
  ): {
    readonly token: WriterToken;
    readonly transfer: ReturnType<Port['detach']>['transfer'];
  } {
    if (this.#state !== 'open') throw notOpen(this.#state);
    this.#state = 'moved';
    this.#setWriter(to);
    const staysHere = this.#port.byReference && !over.byReference;
    const { token, transfer } = (staysHere ? bridge(this.#port, over) : this.#port).detach();
    return {
      token: {
        port: token,
        credits: this.#credits,
        byteCredits: this.#byteCredits,
        interrupted: this.#interrupted,
        writtenBy: this.#writtenBy,
      },
      transfer,
    };
  }

  /** Undoes `move` after the message that carried the stream could not be posted: it can only be failed then. @internal */
  takeBack(): void {
    this.#state = 'open';
    this.#setWriter(this.#holder);
  }

  #setWriter(holder: number): void {
    Atomics.store(new Int32Array(this.#writtenBy), 0, holder);
  }

  get #hasCredit(): boolean {
    return this.#credits > 0 && this.#byteCredits > 0;
  }

  #spend(bytes: number): void {
    this.#credits -= 1;
    this.#byteCredits -= bytes;
  }

  #jsonOf(value: unknown): SmallJson | undefined {
    return this.#port.byReference ? undefined : smallJson(value);
  }

  #over(): void {
    this.#state = 'settled';
    this.#port.close();
    this.#wake();
  }

  #onMessage(message: ReaderMessage): void {
    if (message.t === 'interrupt') this.#onInterrupt(message.error);
    else {
      this.#credits += message.credits;
      this.#byteCredits += message.bytes;
    }
    this.#wake();
  }

  #onInterrupt(error: WireError): void {
    this.#interrupted = error;
    this.#interrupt.abort(decodeError(error));
  }

  #onClose(): void {
    if (this.#state === 'open') {
      this.#state = 'settled';
      this.#interrupt.abort(
        new ActorError('the reader of the stream is gone', { code: 'ABORTED', retrySafe: true }),
      );
    }
    this.#wake();
  }

  /** Later: a callback may give the stream away, and what came with this message is to be read before. */
  #wake(): void {
    const callbacks = this.#onReady;
    if (callbacks.length === 0) return;
    this.#onReady = [];
    for (const callback of callbacks) queueMicrotask(callback);
  }
}

function notOpen(state: 'settled' | 'moved'): ActorError {
  const problem = state === 'moved' ? 'the stream was handed over already' : 'the stream is over';
  return new ActorError(problem, { code: 'PROTOCOL_VIOLATION' });
}

function asReaderMessage(message: WireMessage): ReaderMessage {
  if (message.t === 'pull' || message.t === 'interrupt') return message;
  throw new ActorError(`a stream's writer got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
