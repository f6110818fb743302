/**
 * Bytes that may be held at one time, first come, first served: who wants more than there is waits, and nobody behind
 * him goes first, so that the one who wants much has his turn. What can
 * never fit is refused at once.
 */
export interface Reservation {
  /** Gives back what turned out not to be needed. */
  shrinkTo(bytes: number): void;
  /** Gives everything back; later calls do nothing. */
  release(): void;
}

interface Waiter {
  readonly bytes: number;
  grant(): void;
}

export class WaitingBudget {
  readonly limit: number;
  readonly #line: Waiter[] = [];
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** @throws RangeError for more than there will ever be; the signal's reason when it aborts before its turn */
  async reserve(bytes: number, signal: AbortSignal): Promise<Reservation> {
    if (bytes > this.limit) throw new RangeError(`${bytes} bytes never fit into ${this.limit}`);
    signal.throwIfAborted();
    if (this.#line.length > 0 || this.#used + bytes > this.limit) await this.#turn(bytes, signal);
    else this.#used += bytes;
    let held = bytes;
    const keep = (left: number) => {
      if (left >= held) return;
      this.#used -= held - left;
      held = left;
      this.#serve();
    };
    return { shrinkTo: keep, release: () => keep(0) };
  }

  #turn(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          this.#used += bytes;
          resolve();
        },
      };
      const onAbort = () => {
        this.#line.splice(this.#line.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve(); // it may have been the one that did not fit
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#line.push(waiter);
    });
  }

  #serve(): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      if (this.#used + first.bytes > this.limit) return;
      this.#line.shift();
      first.grant();
    }
  }
}
