/**
 * Callers who wait for places in a bounded queue. Each free place is promised to one of them, in order. A promise
 * holds for one turn of the event loop: a caller who did not come by then (it was cancelled, or failed in between)
 * loses it to the next, so that nobody waits for a place that stands empty.
 */
interface Waiter {
  readonly places: number;
  readonly grant: () => void;
}

export class AdmissionPermits {
  readonly #free: () => number;
  readonly #waiters = new Set<Waiter>();
  /** Places that somebody was told of and has not taken yet. */
  #promised = 0;
  #lapse: NodeJS.Immediate | undefined;

  /** @param free how many places are empty, promised ones included */
  constructor(free: () => number) {
    this.#free = free;
  }

  /**
   * Resolves when there are places for this caller, who must take them in the same turn.
   *
   * @param places not more than the queue has
   * @throws the signal's reason, when it aborts before
   */
  next(places: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const waiter = {
        places,
        grant: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
        // Those behind may need fewer places.
        this.freed();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiters.add(waiter);
      this.freed();
    });
  }

  /** Somebody took places. */
  taken(places: number): void {
    this.#promised = Math.max(0, this.#promised - places);
  }

  /** Promises what is free to those who wait. */
  freed(): void {
    for (const waiter of this.#waiters) {
      if (this.#promised + waiter.places > this.#free()) return;
      this.#promised += waiter.places;
      this.#waiters.delete(waiter);
      waiter.grant();
      // All that a granted caller does before its submit runs in microtasks, so before this.
      this.#lapse ??= setImmediate(() => {
        this.#lapse = undefined;
        this.#promised = 0;
        this.freed();
      });
    }
  }
}
