/** A running answer with the time of every piece of it. */
import { type ChatStream, type Troupe, TroupeError } from '../src/index.ts';
import { type PeerRequest, toChatOptions } from './peers/peer-request.ts';

export class TimedStream {
  readonly submittedAt = performance.now();
  /** When each piece arrived; at the engine's pace, a piece is one token. */
  readonly arrivals: number[] = [];
  /** The first piece is here. Rejects when the answer fails before. */
  readonly started: Promise<void>;
  /** The answer has ended, or was aborted. */
  readonly ended: Promise<void>;
  readonly #stream: ChatStream;
  #waiting: { readonly pieces: number; resolve(): void }[] = [];
  #aborted = false;

  constructor(engine: Troupe, request: PeerRequest) {
    this.#stream = engine.stream(toChatOptions(request));
    this.ended = this.#consume();
    this.started = this.reached(1);
    // Whoever waits for one of them hears of a failure; nobody has to wait for both.
    this.ended.catch(() => {});
    this.started.catch(() => {});
  }

  get timeToFirstToken(): number {
    return (this.arrivals[0] ?? Number.NaN) - this.submittedAt;
  }

  /** Resolves when so many pieces have arrived. */
  async reached(pieces: number): Promise<void> {
    if (this.arrivals.length >= pieces) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ pieces, resolve });
    await Promise.race([promise, this.ended]);
    if (this.arrivals.length < pieces)
      throw new Error(`the answer ended after ${this.arrivals.length} pieces`);
  }

  async abort(): Promise<void> {
    this.#aborted = true;
    this.#stream.abort();
    await this.ended;
  }

  /** Milliseconds between pieces of which the later one arrived in a span of time. */
  gaps(from: number, to: number): number[] {
    return this.arrivals.flatMap((at, index) => {
      const before = this.arrivals[index - 1];
      return before === undefined || at < from || at > to ? [] : [at - before];
    });
  }

  async #consume(): Promise<void> {
    try {
      for await (const _piece of this.#stream) {
        this.arrivals.push(performance.now());
        this.#wake();
      }
      await this.#stream.result;
    } catch (error) {
      if (!(this.#aborted && error instanceof TroupeError && error.code === 'ABORTED')) throw error;
    }
  }

  #wake(): void {
    const reached = this.#waiting.filter(({ pieces }) => pieces <= this.arrivals.length);
    this.#waiting = this.#waiting.filter((waiting) => !reached.includes(waiting));
    for (const { resolve } of reached) resolve();
  }
}
