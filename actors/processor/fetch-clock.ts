/** The time that a fetch may take; it stands still while the fetch waits for this process and not for its host. */
import { after } from '../../runtime/util/timers.ts';
export class FetchClock {
  readonly #controller = new AbortController();
  #leftMs: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#leftMs = timeoutMs;
    this.resume();
  }

  /** Aborts when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.signal.aborted;
  }

  resume(): void {
    this.#startedAt = performance.now();
    this.#timer = after(this.#leftMs, () => this.#controller.abort());
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#startedAt));
  }
}
