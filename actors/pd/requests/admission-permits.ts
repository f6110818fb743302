/**
 * Callers who wait for a place in a bounded queue. Each free place is promised to one of them, in order. A promise
 * holds for one turn of the event loop: a caller who did not come by then (it was cancelled, or failed in between)
 * loses it to the next, so that nobody waits for a place that stands empty.
 */
interface Waiter {
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
   * Resolves when there is a place for this caller, who must take it in the same turn.
   *
   * @throws the signal's reason, when it aborts before
   */
  next(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const waiter = {
        grant: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiters.add(waiter);
      this.freed();
    });
  }

  /** Somebody took a place. */
  taken(): void {
    this.#promised = Math.max(0, this.#promised - 1);
  }

  /** Promises what is free to those who wait. */
  freed(): void {
    for (const waiter of this.#waiters) {
      if (this.#promised >= this.#free()) return;
      this.#promised += 1;
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
