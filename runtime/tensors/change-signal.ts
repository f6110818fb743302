/**
 * Tells the threads that wait for a change in shared memory (room in an arena, a tensor in a cache) that there
 * was one: a counter, awaited with `Atomics.waitAsync`, so that the waiting thread's event loop keeps turning.
 *
 * No wake-up is lost: a waiter reads `version` before it looks, and `changed(version)` settles if the counter
 * has moved since. One `waitAsync` per thread serves all its waiters, so that aborted ones leave
 * nothing behind in the engine, which has no way to withdraw a `waitAsync`.
 *
 * Node does not count a pending `waitAsync` as work: a thread that has nothing else to do would exit in the
 * middle of the wait. A timer that never fires keeps it alive exactly as long as somebody waits.
 */
import { abortedBy } from '../util/aborted.ts';
import { LONGEST_TIMER_MS } from '../util/timers.ts';

export class ChangeSignal {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #index: number;
  readonly #what: string;
  readonly #waiters = new Set<() => void>();
  #armed = false;
  #keepAlive: NodeJS.Timeout | undefined;

  /** `what`: the wait, in the error of one that was given up. */
  constructor(cells: Int32Array<SharedArrayBuffer>, index: number, what: string) {
    this.#cells = cells;
    this.#index = index;
    this.#what = what;
  }

  get version(): number {
    return Atomics.load(this.#cells, this.#index);
  }

  announce(): void {
    Atomics.add(this.#cells, this.#index, 1);
    Atomics.notify(this.#cells, this.#index);
  }

  /** Settles when `version` is no longer `seen`; rejects with an `ABORTED` ActorError. May settle early. */
  changed(seen: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortedBy(signal, this.#what));
        return;
      }
      if (!this.#arm(seen)) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiters.delete(wake);
        this.#balanceKeepAlive();
        reject(abortedBy(signal, this.#what));
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(wake);
      this.#balanceKeepAlive();
    });
  }

  /**
   * False when the counter has moved already. An older `waitAsync` of this thread serves as well: if the
   * counter has moved since that one began, it is about to settle; if not, it waits for the same change.
   */
  #arm(seen: number): boolean {
    if (this.version !== seen) return false;
    if (this.#armed) return true;
    const wait = Atomics.waitAsync(this.#cells, this.#index, seen);
    if (!wait.async) return false;
    this.#armed = true;
    void wait.value.then(() => this.#wakeAll());
    return true;
  }

  #wakeAll(): void {
    this.#armed = false;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#balanceKeepAlive();
    for (const wake of waiters) wake();
  }

  #balanceKeepAlive(): void {
    if (this.#waiters.size > 0) {
      this.#keepAlive ??= setInterval(() => {}, LONGEST_TIMER_MS);
    } else {
      clearInterval(this.#keepAlive);
      this.#keepAlive = undefined;
    }
  }
}
