/**
 * A gate that a thread passes on its way into native code, and that is closed when its process, or the thread that
 * made it, ends. Node ends a thread wherever it is. Native code that then makes a JavaScript value for its result
 * fails to, and the whole process aborts (`Napi::Error`, exit code 134). So the end waits until nobody is inside.
 *
 *     int32   0        1        2
 *           ┌────────┬────────┬──────────────────────┐
 *           │ inside │ closed │ times it was reopened │
 *           └────────┴────────┴──────────────────────┘
 *
 * Who enters counts itself first and looks at `closed` then; who closes does it the other way round. So either the
 * one that closes sees that somebody is inside, or the one that enters sees that it is closed.
 */
import { ChangeSignal } from '../tensors/change-signal.ts';

const INSIDE = 0;
const CLOSED = 1;
const REOPENED = 2;
const CELLS = 3;

export type ExitGateHandle = SharedArrayBuffer;

export class ExitGate {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #reopened: ChangeSignal;

  private constructor(handle: ExitGateHandle) {
    this.#cells = new Int32Array(handle);
    this.#reopened = new ChangeSignal(this.#cells, REOPENED, 'the wait for an end that does not come');
  }

  static create(): ExitGate {
    return new ExitGate(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  }

  static attach(handle: ExitGateHandle): ExitGate {
    return new ExitGate(handle);
  }

  handle(): ExitGateHandle {
    return this.#cells.buffer;
  }

  /** Does the work inside. While the gate is closed the work is not begun, and the thread hears its messages. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (!this.#enter()) {
      const seen = this.#reopened.version;
      if (Atomics.load(this.#cells, CLOSED) === 1) await this.#reopened.changed(seen);
    }
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  close(): void {
    Atomics.store(this.#cells, CLOSED, 1);
  }

  open(): void {
    Atomics.store(this.#cells, CLOSED, 0);
    this.#reopened.announce();
  }

  /** Blocks the calling thread until nobody is inside. @returns false when `waitMs` milliseconds were not enough */
  emptied(waitMs: number): boolean {
    const until = performance.now() + waitMs;
    for (;;) {
      const inside = Atomics.load(this.#cells, INSIDE);
      if (inside === 0) return true;
      const left = until - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#cells, INSIDE, inside, left);
    }
  }

  #enter(): boolean {
    Atomics.add(this.#cells, INSIDE, 1);
    if (Atomics.load(this.#cells, CLOSED) === 0) return true;
    this.#leave();
    return false;
  }

  #leave(): void {
    Atomics.sub(this.#cells, INSIDE, 1);
    Atomics.notify(this.#cells, INSIDE);
  }
}

let ownGate: ExitGate | undefined;

/** For the entry point of an actor's thread. */
export function setOwnExitGate(gate: ExitGate): void {
  ownGate = gate;
}

/**
 * Does work that the end of the process must not cut short (`inNative` in `this-thread.ts`): the end waits for it, for
 * some seconds (`exit-hook.ts`). On a thread that is no actor's, the work is simply done.
 */
export function uninterrupted<T>(work: () => Promise<T>): Promise<T> {
  return ownGate === undefined ? work() : ownGate.pass(work);
}
