/**
 * Credits of one channel, in shared memory: how much of what the client sent has left the actor's mailbox.
 *
 *     int32 index   0           1              2
 *                ┌───────────┬──────────────┬──────────────┐
 *                │ started   │ started KiB  │ client waits │
 *                └───────────┴──────────────┴──────────────┘
 *     written by   actor       actor          both
 *
 * The client keeps its own count of what it sent, so `sent - started` is what lies in the mailbox. Shared
 * memory outlives the actor's thread: after a crash the client still knows which messages were never started
 * and may be sent again without breaking at-most-once. Counters wrap at 2^32; only differences are read.
 */
const STARTED = 0;
const STARTED_KIB = 1;
const CLIENT_WAITS = 2;

export interface FlowWindow {
  /** Most messages of one client in the actor's mailbox. Default 64. */
  readonly messages: number;
  /** Most KiB of them; one message larger than this may travel alone. Default 64 MiB. */
  readonly kib: number;
}

export const DEFAULT_WINDOW: FlowWindow = { messages: 64, kib: 64 * 1024 };

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
    return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Messages sent that the actor has not started. */
  get unstarted(): number {
    return (this.#sent - Atomics.load(this.#cells, STARTED)) | 0;
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
    Atomics.add(this.#cells, STARTED_KIB, kibOf(bytes));
    Atomics.add(this.#cells, STARTED, 1);
    return Atomics.exchange(this.#cells, CLIENT_WAITS, 0) === 1;
  }
}
