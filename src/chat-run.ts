/** One answer in the making: the `ChatStream` that a caller holds. Submitted at once; can be read once. */
import { ActorError, TroupeError } from '../runtime/errors.ts';
import type { ChatDelta, ChatResult, ChatStream } from './chat-types.ts';

/** What makes the deltas: gives up when the signal aborts, and says the result after the last was taken. */
export type Generate = (own: {
  readonly signal: AbortSignal;
  onResult(result: ChatResult): void;
}) => AsyncGenerator<ChatDelta, void, void>;

export class ChatRun implements ChatStream {
  readonly #abort = new AbortController();
  readonly #result = Promise.withResolvers<ChatResult>();
  readonly #deltas: AsyncGenerator<ChatDelta, void, void>;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #onCallerAbort = () => this.abort(this.#callerSignal?.reason);
  /** A generator does nothing until it is asked: asking for the first delta submits the request. */
  #first: Promise<IteratorResult<ChatDelta, void>> | undefined;

  constructor(generate: Generate, callerSignal: AbortSignal | undefined) {
    this.#callerSignal = callerSignal;
    this.#deltas = generate({
      signal: this.#abort.signal,
      onResult: (result) => this.#result.resolve(result),
    });
    // A caller who only iterates sees the failure there.
    this.#result.promise.catch(() => {});
    if (callerSignal?.aborted) this.#onCallerAbort();
    else callerSignal?.addEventListener('abort', this.#onCallerAbort, { once: true });
    this.#first = this.#next();
    this.#first.catch(() => {});
  }

  get result(): Promise<ChatResult> {
    return this.#result.promise;
  }

  /** Ends the request. A `TroupeError` as reason becomes its failure, any other the cause of an `ABORTED`. */
  abort(reason?: unknown): void {
    this.#abort.abort(reason);
    // At once, also when nobody reads on. No effect on a request that has ended.
    this.#fail(failureOf(this.#abort.signal));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatDelta, void> {
    try {
      for (;;) {
        const next = await (this.#first ?? this.#next());
        this.#first = undefined;
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // Also reached when the caller leaves the loop early.
      this.abort();
      await this.#deltas.return();
    }
  }

  async #next(): Promise<IteratorResult<ChatDelta, void>> {
    try {
      const next = await this.#deltas.next();
      if (next.done) this.#forgetCaller();
      return next;
    } catch (error) {
      const { signal } = this.#abort;
      const failure = signal.aborted ? failureOf(signal) : error;
      this.#fail(failure);
      throw failure;
    }
  }

  #fail(failure: unknown): void {
    this.#forgetCaller();
    this.#result.reject(failure);
  }

  #forgetCaller(): void {
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
  }
}

function failureOf({ reason }: AbortSignal): TroupeError {
  if (TroupeError.is(reason)) return reason;
  return new ActorError('the request was aborted by the caller', {
    code: 'ABORTED',
    retrySafe: true,
    cause: reason,
  });
}
