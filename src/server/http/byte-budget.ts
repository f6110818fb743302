/** Bytes that all requests together may keep in memory, from the head of each to the end of its answer. */
import { TroupeError } from '../../../runtime/errors.ts';

export class ByteBudget {
  readonly #limit: number;
  #reserved = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get reserved(): number {
    return this.#reserved;
  }

  /**
   * @returns gives the bytes back; later calls do nothing
   * @throws TroupeError `BUFFERS_FULL`. One request alone is always let in.
   */
  reserve(bytes: number): () => void {
    if (this.#reserved > 0 && this.#reserved + bytes > this.#limit) {
      throw new TroupeError('too many bytes of requests are in memory', {
        code: 'BUFFERS_FULL',
        retrySafe: true,
      });
    }
    this.#reserved += bytes;
    let held = true;
    return () => {
      if (held) this.#reserved -= bytes;
      held = false;
    };
  }
}
