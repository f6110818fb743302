/**
 * What an actor's thread publishes of itself, so that its supervisor can tell a hung thread from a busy one and end it
 * without harm. It lies in the thread's slot of the load board; no message is sent for it.
 *
 *     int32   6        7        8            9      10
 *           ┌────────┬────────┬────────────┬──────┬────────┐
 *           │ turns  │ state  │ allowed ms │ work │ thread │
 *           └────────┴────────┴────────────┴──────┴────────┘
 *
 *  - `turns` grows while the thread's event loop turns, or long work says that it goes on.
 *  - `allowed` is how long it may stay as it is now. 0: the thread has not begun yet.
 *  - `work` names what it computes just now, where that is known: the tag of a request. 0: unknown.
 *  - `thread` is the system's id of the thread. 0: unknown.
 *  - `state` decides what may be done to it. A thread may be terminated while it runs JavaScript; inside a library's native
 *    code that would end the whole process. Both sides move the cell by compare-and-exchange, so that a thread which was
 *    condemned in JavaScript never gets into native code, and one that was left behind there ends when it comes out.
 *
 *        JavaScript ◀────▶ native          moved by the thread
 *            │               │
 *            ▼               ▼
 *          ended           left            moved by the supervisor
 */
import { systemThreadId } from '../thread/core-time.ts';

export const TURNS = 6;
export const STATE = 7;
export const ALLOWED_MS = 8;
export const WORK = 9;
export const THREAD = 10;

export const IN_JAVASCRIPT = 0;
export const IN_NATIVE = 1;
export const ENDED = 2;
export const LEFT = 3;

type Cells = Int32Array<SharedArrayBuffer>;

/** The supervisor's side. */
export class PulseReader {
  readonly #cells: Cells;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  get turns(): number {
    return Atomics.load(this.#cells, TURNS);
  }

  /** 0: the thread has not begun. */
  get allowedMs(): number {
    return Atomics.load(this.#cells, ALLOWED_MS);
  }

  get isNative(): boolean {
    return Atomics.load(this.#cells, STATE) === IN_NATIVE;
  }

  get work(): number {
    return Atomics.load(this.#cells, WORK);
  }

  /** The system's id of the thread; 0: unknown. */
  get systemThreadId(): number {
    return Atomics.load(this.#cells, THREAD);
  }

  /**
   * Gives the thread up, wherever it is. `ended`: it runs JavaScript, will run nothing native any more, and may be terminated.
   * `left`: it is inside native code, and ends by itself if it ever comes out. Undefined: it was given up before.
   */
  giveUp(): 'ended' | 'left' | undefined {
    for (;;) {
      if (this.#moved(IN_JAVASCRIPT, ENDED)) return 'ended';
      if (this.#moved(IN_NATIVE, LEFT)) return 'left';
      // Neither: it went from one to the other between the two questions, or is given up.
      const state = Atomics.load(this.#cells, STATE);
      if (state === ENDED || state === LEFT) return undefined;
    }
  }

  #moved(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#cells, STATE, from, to) === from;
  }
}

export interface PulseLimits {
  /** How long a thread may compute without a turn of its event loop, ms. */
  readonly turnMs: number;
  /** The same while it starts and sets up its actor, ms. */
  readonly setUpMs: number;
  /** How long a call of native code may take about which nothing is known, ms. */
  readonly nativeMs: number;
}

/** A call of native code may take so many times as long as it is expected to. */
const PATIENCE = 10;

/** The thread's side. */
export class Pulse {
  readonly #cells: Cells;
  readonly #limits: PulseLimits;
  readonly #exit: () => void;
  #baseMs: number;
  #depth = 0;
  /** Whom JavaScript works for just now. */
  #tag = 0;

  /** @param exit ends the thread; called outside of native code */
  constructor(cells: Cells, limits: PulseLimits, exit: () => void) {
    this.#cells = cells;
    this.#limits = limits;
    this.#exit = exit;
    this.#baseMs = limits.setUpMs;
    Atomics.store(cells, THREAD, systemThreadId());
    this.#allow(this.#baseMs);
  }

  /** The actor is set up. */
  ready(): void {
    this.#baseMs = this.#limits.turnMs;
    if (this.#depth === 0) this.#allow(this.#baseMs);
  }

  turn(): void {
    Atomics.add(this.#cells, TURNS, 1);
  }

  /**
   * What follows, until `work(0)`, is computed for this request; native code that is entered meanwhile, until it is left.
   * Where calls for several overlap, nobody is named.
   */
  work(tag: number): void {
    this.#tag = tag;
    if (this.#depth === 0) this.#name(tag);
  }

  /** Whom JavaScript works for just now; 0: unknown. */
  get tag(): number {
    return this.#tag;
  }

  /** Native code follows, until `left`. @param tag of the request that it works for */
  entered(expectedMs?: number, tag = this.#tag): void {
    const { nativeMs, turnMs } = this.#limits;
    const allowed = expectedMs === undefined ? nativeMs : Math.max(turnMs, PATIENCE * expectedMs);
    this.#depth += 1;
    if (this.#depth > 1) {
      if (Atomics.load(this.#cells, WORK) !== tag) this.#name(0);
      this.#allow(Math.max(allowed, Atomics.load(this.#cells, ALLOWED_MS)));
      return;
    }
    this.#name(tag);
    this.#allow(Math.max(allowed, turnMs));
    // Condemned: it is being terminated, and has to wait for that where it does no harm.
    while (Atomics.compareExchange(this.#cells, STATE, IN_JAVASCRIPT, IN_NATIVE) === ENDED) {
      Atomics.wait(this.#cells, STATE, ENDED);
    }
    this.turn();
  }

  left(): void {
    this.#depth -= 1;
    this.turn();
    if (Atomics.load(this.#cells, STATE) === LEFT) this.#exit();
    if (this.#depth > 0) return;
    this.#name(this.#tag);
    this.#allow(this.#baseMs);
    if (Atomics.compareExchange(this.#cells, STATE, IN_NATIVE, IN_JAVASCRIPT) === LEFT) this.#exit();
  }

  #name(tag: number): void {
    Atomics.store(this.#cells, WORK, tag);
  }

  #allow(ms: number): void {
    Atomics.store(this.#cells, ALLOWED_MS, Math.ceil(Math.min(ms, 2 ** 31 - 1)));
  }
}
