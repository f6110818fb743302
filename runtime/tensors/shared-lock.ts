/**
 * A mutual exclusion between threads, for critical sections of a few microseconds. It is one int32 of shared
 * memory, which also says who owns it:
 *
 *      31                                        1     0
 *     ┌──────────────────────────────────────────┬─────────┐
 *     │ owner: Node's threadId + 1, 0 when free  │ awaited │
 *     └──────────────────────────────────────────┴─────────┘
 *
 * A contender spins for about as long as a critical section lasts, then sets `awaited` and sleeps until the
 * owner wakes one sleeper. A thread that dies inside a critical section never unlocks (`finally` blocks do not
 * run in a terminated worker); the owner's id in the same word lets a survivor take the lock over without a
 * gap in which nobody would be known to own it.
 */
import { threadId } from 'node:worker_threads';
import { TroupeError } from '../errors.ts';

const FREE = 0;
const AWAITED = 1;
const SPINS = 200;
const DEFAULT_PATIENCE_MS = 5_000;

const tokenOf = (thread: number): number => (thread + 1) << 1;

export class SharedLock {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #index: number;
  readonly #patienceMs: number;
  readonly #token = tokenOf(threadId);

  /** `patienceMs`: longest sleep in `lock` before the owner is taken for dead. Default 5,000. */
  constructor(cells: Int32Array<SharedArrayBuffer>, index: number, patienceMs = DEFAULT_PATIENCE_MS) {
    this.#cells = cells;
    this.#index = index;
    this.#patienceMs = patienceMs;
  }

  /**
   * Not reentrant. Blocks the thread, the main thread too: it must not wait for ever, since news of the owner's
   * death reach it through its event loop. So it throws `LOCK_ABANDONED` when its patience is at an end.
   */
  lock(): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#cells, this.#index, FREE, this.#token) === FREE) return;
    }
    this.#lockSleeping();
  }

  unlock(): void {
    const before = Atomics.exchange(this.#cells, this.#index, FREE);
    if ((before & AWAITED) !== 0) Atomics.notify(this.#cells, this.#index, 1);
  }

  /** Takes the lock over from a thread that is gone. False when that thread did not own it. */
  takeOver(deadThread: number): boolean {
    const value = Atomics.load(this.#cells, this.#index);
    if ((value & ~AWAITED) !== tokenOf(deadThread)) {
      // It may have died as the one sleeper that an unlock woke: let the others look again.
      Atomics.notify(this.#cells, this.#index);
      return false;
    }
    // A sleeper may set `awaited` in between; claiming that there is one costs at most a needless notify.
    Atomics.store(this.#cells, this.#index, this.#token | AWAITED);
    return true;
  }

  #lockSleeping(): void {
    const deadline = performance.now() + this.#patienceMs;
    // Whoever has slept cannot know whether others still sleep, and takes the lock as an awaited one.
    const awaitedToken = this.#token | AWAITED;
    for (;;) {
      const value = Atomics.compareExchange(this.#cells, this.#index, FREE, awaitedToken);
      if (value === FREE) return;
      const left = deadline - performance.now();
      if (left <= 0) throw abandoned(value);
      const awaited = value | AWAITED;
      if (value === awaited || Atomics.compareExchange(this.#cells, this.#index, value, awaited) === value) {
        Atomics.wait(this.#cells, this.#index, awaited, left);
      }
    }
  }
}

function abandoned(value: number): TroupeError {
  const ownerThread = (value >> 1) - 1;
  return new TroupeError(`thread ${ownerThread} holds a shared lock and does not let go`, {
    code: 'LOCK_ABANDONED',
    retrySafe: true,
    details: { ownerThread },
  });
}
