/**
 * Turns at filling an arena: a request that needs room for several images takes them one by one, and requests that each hold
 * some and wait for more would wait for each other. So only as many are let in as fit together; the others wait in order.
 */
interface Waiting {
  readonly bytes: number;
  readonly grant: () => void;
}

export class EncodeTurns {
  readonly #capacityBytes: number;
  readonly #waiting = new Set<Waiting>();
  #usedBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /**
   * Resolves when all that is let in fits with `bytes` more, to what gives them back.
   *
   * @param bytes at most the capacity
   * @throws the signal's reason, when it aborts before
   */
  async enter(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { bytes, grant: resolve };
    const leave = (): void => {
      this.#waiting.delete(waiting);
      reject(signal.reason);
      this.#next();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.add(waiting);
    this.#next();
    await promise;
    signal.removeEventListener('abort', leave);
    return () => {
      this.#usedBytes -= bytes;
      this.#next();
    };
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (this.#usedBytes + waiting.bytes > this.#capacityBytes) return;
      this.#waiting.delete(waiting);
      this.#usedBytes += waiting.bytes;
      waiting.grant();
    }
  }
}
