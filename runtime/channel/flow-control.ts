/**
 * Credits of one channel, in shared memory: how much of what the client sent has left the actor's mailbox.
 *
 *     int32 index   0           1              2              3
 *                ┌───────────┬──────────────┬──────────────┬─────────────┐
 *                │ started   │ started KiB  │ client waits │ tells ended │
 *                └───────────┴──────────────┴──────────────┴─────────────┘
 *     written by   actor       actor          both           actor
 *
 * The client keeps its own count of what it sent, so `sent - started` is what lies in the mailbox. Shared
 * memory outlives the actor's thread: after a crash the client still knows which messages were never started
 * and may be sent again without breaking at-most-once, and whether tells were under way, of which nobody else
 * would ever hear. Counters wrap at 2^32; only differences are read.
 */
const STARTED = 0;
const STARTED_KIB = 1;
const CLIENT_WAITS = 2;
const TELLS_ENDED = 3;
const CELLS = 4;

/** How far a sender may be ahead of an actor. */
export interface FlowWindow {
  /** Most messages of one client in the actor's mailbox. */
  readonly messages: number;
  /** Most KiB of them; one message larger than this may travel alone. */
  readonly kib: number;
}

export const DEFAULT_WINDOW: FlowWindow = { messages: 1_024, kib: 64 * 1024 };

const kibOf = (bytes: number): number => Math.ceil(bytes / 1024);

/** The client's side. */
export class FlowSender {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #window: FlowWindow;
  #sent = 0;
  #sentKib = 0;

  constructor(buffer: SharedArrayBuffer, window: FlowWindow = DEFAULT_WINDOW) {
    this.#cells = new Int32Array(buffer);
    this.#window = window;
  }

  static createBuffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Messages sent that the actor has not started. */
  get unstarted(): number {
    return (this.#sent - Atomics.load(this.#cells, STARTED)) | 0;
  }

  /** Tells whose handlers have ended; wraps, as all counters do. */
  get tellsEnded(): number {
    return Atomics.load(this.#cells, TELLS_ENDED);
  }

  hasCredit(bytes: number): boolean {
    const unstarted = this.unstarted;
    if (unstarted === 0) return true;
    const kib = ((this.#sentKib - Atomics.load(this.#cells, STARTED_KIB)) | 0) + kibOf(bytes);
    return unstarted < this.#window.messages && kib <= this.#window.kib;
  }

  /** Asks for one `credit` message as soon as the actor starts something. Check `hasCredit` again after it. */
  requestCredit(): void {
    Atomics.store(this.#cells, CLIENT_WAITS, 1);
  }

  spend(bytes: number): void {
    this.#sent = (this.#sent + 1) | 0;
    this.#sentKib = (this.#sentKib + kibOf(bytes)) | 0;
  }
}

/** The actor's side. */
export class FlowReceiver {
  readonly #cells: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** Records that a message left the mailbox. True when the client waits and must be sent a `credit`. */
  start(bytes: number): boolean {
    if (bytes > 0) Atomics.add(this.#cells, STARTED_KIB, kibOf(bytes));
    Atomics.add(this.#cells, STARTED, 1);
    return (
      Atomics.load(this.#cells, CLIENT_WAITS) === 1 && Atomics.exchange(this.#cells, CLIENT_WAITS, 0) === 1
    );
  }

  /** Records that the handler of a `tell` has ended, one way or the other. */
  endTell(): void {
    Atomics.add(this.#cells, TELLS_ENDED, 1);
  }
}
