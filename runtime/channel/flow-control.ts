/**
 * Credits of one channel, in shared memory: how much of what the client sent has left the actor's mailbox. For each priority
 * five cells of its own, the last two for `tells-under-way.ts`, and behind them one for all (see `under-way.ts`):
 *
 *     int32 index   0           1              2              3         4
 *                ┌───────────┬──────────────┬──────────────┬─────────┬─────────────┐
 *                │ started   │ started KiB  │ wake at      │ a place │ tables made │
 *                └───────────┴──────────────┴──────────────┴─────────┴─────────────┘
 *     written by   actor       actor          both           actor     actor
 *
 * The client keeps its own count of what it sent, so `sent - started` is what lies in the mailbox. Shared
 * memory outlives the actor's thread: after a crash the client still knows which messages were never started
 * and may be sent again without breaking at-most-once. Counters wrap at 2^32; only differences are read.
 */
import { PRIORITIES, type Priority } from './priority.ts';

const STARTED = 0;
const STARTED_KIB = 1;
const WAKE_AT = 2;
const CELLS = 5;
/** All that the client has sent through the channel. */
export const SENT_CELL = PRIORITIES.length * CELLS;

/** How far a sender may be ahead of an actor. */
export interface FlowWindow {
  /** Most messages of one client in the actor's mailbox. */
  readonly messages: number;
  /** Most KiB of them; one message larger than this may travel alone. */
  readonly kib: number;
}

export const DEFAULT_WINDOW: FlowWindow = { messages: 1_024, kib: 64 * 1024 };

const NOBODY_WAITS = 0;

/** A count of started messages, as it stands in `wake at`: never 0. */
const wakeAt = (started: number): number => (started << 1) | 1;

export function cellsOf(buffer: SharedArrayBuffer, priority: Priority): Int32Array<SharedArrayBuffer> {
  const offset = PRIORITIES.indexOf(priority) * CELLS * Int32Array.BYTES_PER_ELEMENT;
  return new Int32Array(buffer, offset, CELLS);
}

const kibOf = (bytes: number): number => Math.ceil(bytes / 1024);

/** The client's side, of one priority. */
export class FlowSender {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #window: FlowWindow;
  #sent = 0;
  #sentKib = 0;
  /** As last read. The actor writes these cells all the time, and whoever reads them has to fetch them from its core. */
  #started = 0;
  #startedKib = 0;

  constructor(buffer: SharedArrayBuffer, window: FlowWindow = DEFAULT_WINDOW, priority: Priority = 'normal') {
    this.#cells = cellsOf(buffer, priority);
    this.#window = window;
  }

  static createBuffer(): SharedArrayBuffer {
    return new SharedArrayBuffer((SENT_CELL + 1) * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Messages sent so far: the number of the next one. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages sent that the actor has not started. */
  get unstarted(): number {
    this.#started = Atomics.load(this.#cells, STARTED);
    return (this.#sent - this.#started) | 0;
  }

  hasCredit(bytes: number): boolean {
    const kib = kibOf(bytes);
    if (this.#fits(kib)) return true;
    if (this.unstarted === 0) return true;
    this.#startedKib = Atomics.load(this.#cells, STARTED_KIB);
    return this.#fits(kib);
  }

  #fits(kib: number): boolean {
    const { messages, kib: most } = this.#window;
    return (
      ((this.#sent - this.#started) | 0) < messages && ((this.#sentKib - this.#startedKib) | 0) + kib <= most
    );
  }

  /**
   * Asks for one `credit` message: when half the window of messages is free, so that not each message costs one; for bytes,
   * as soon as the actor starts something. Check `hasCredit` again after it.
   */
  requestCredit(): void {
    const { messages } = this.#window;
    const isFull = this.unstarted >= messages;
    const target = isFull ? this.#sent - (messages >> 1) : this.#started + 1;
    Atomics.store(this.#cells, WAKE_AT, wakeAt(target));
  }

  spend(bytes: number): void {
    this.#sent = (this.#sent + 1) | 0;
    this.#sentKib = (this.#sentKib + kibOf(bytes)) | 0;
  }
}

/** The actor's side, of one priority. */
export class FlowReceiver {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  #started = 0;

  constructor(buffer: SharedArrayBuffer, priority: Priority = 'normal') {
    this.#cells = cellsOf(buffer, priority);
  }

  /** Messages that have left the mailbox: the number of the next one. */
  get started(): number {
    return this.#started;
  }

  /** Records that a message left the mailbox. True when the client waits and must be sent a `credit`. */
  start(bytes: number): boolean {
    if (bytes > 0) Atomics.add(this.#cells, STARTED_KIB, kibOf(bytes));
    const started = Atomics.add(this.#cells, STARTED, 1) + 1;
    this.#started = started;
    const wake = Atomics.load(this.#cells, WAKE_AT);
    if (wake === NOBODY_WAITS || ((wakeAt(started) - wake) | 0) < 0) return false;
    return Atomics.compareExchange(this.#cells, WAKE_AT, wake, NOBODY_WAITS) === wake;
  }
}
