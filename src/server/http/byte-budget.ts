/** Bytes that all requests together may keep in memory, from the head of each to the end of its answer. */
import { TroupeError } from '../../../runtime/errors.ts';

/** Bytes that are kept for one request. */
export interface Reservation {
  /** Less is needed than was thought. */
  shrinkTo(bytes: number): void;
  /** Gives the bytes back; later calls do nothing. */
  release(): void;
}

export class ByteBudget {
  readonly #limit: number;
  #reserved = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** @throws TroupeError `BUFFERS_FULL`. One request alone is always let in. */
  reserve(bytes: number): Reservation {
    if (this.#reserved > 0 && this.#reserved + bytes > this.#limit) {
      throw new TroupeError('too many bytes of requests are in memory', {
        code: 'BUFFERS_FULL',
        retrySafe: true,
      });
    }
    let held = bytes;
    this.#reserved += held;
    const shrinkTo = (less: number) => {
      if (less >= held) return;
      this.#reserved -= held - less;
      held = less;
    };
    return { shrinkTo, release: () => shrinkTo(0) };
  }
}
