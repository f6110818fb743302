/**
 * How many messages are on their way to one incarnation of an actor, from all its clients: sent, and not yet taken by its
 * thread, which takes nothing while it computes. Whoever routes reads it, so that several clients see of each other
 * what none of them could tell from what the actor has published.
 *
 *     of the incarnation, int32   0          16 (a cache line further)
 *                               ┌──────┬───┬─────────┐
 *                               │ sent │ … │ arrived │     clients add to the first, the actor to the second
 *                               └──────┴───┴─────────┘
 *     of each channel, int32      15 (behind the cells for credits)
 *                               ┌──────┐
 *                               │ sent │                  written by its client alone
 *                               └──────┘
 *
 * What a thread held back when it died never arrives. The actor counts it as arrived when that channel closes: the cell
 * of the channel says how much was sent through it. Counters wrap at 2^32; only differences are read.
 */
import { SENT_CELL } from './flow-control.ts';

const SENT = 0;
const ARRIVED = 16;
const CELLS = 32;

type Cells = Int32Array<SharedArrayBuffer>;

/** Shared memory of one channel. */
export interface ChannelMemory {
  /** Of the incarnation. */
  readonly underWay: SharedArrayBuffer;
  /** Of the channel: `FlowSender.createBuffer`. */
  readonly flow: SharedArrayBuffer;
}

/** What is on its way to one incarnation. */
export class UnderWay {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Cells;

  constructor(buffer = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** How much was ever sent: whether anybody has sent since (`SentCount.claim`). */
  get sent(): number {
    return Atomics.load(this.#cells, SENT);
  }

  /** A hint: the two cells are not read at one instant. */
  get count(): number {
    return Math.max(0, (Atomics.load(this.#cells, SENT) - Atomics.load(this.#cells, ARRIVED)) | 0);
  }
}

/** The client's side of one channel. */
export class SentCount {
  readonly #all: Cells;
  readonly #own: Cells;
  #sent = 0;
  /** Counted, and not sent yet: a getter in a message may send another while that one is written. */
  #claimed = 0;

  constructor({ underWay, flow }: ChannelMemory) {
    this.#all = new Int32Array(underWay);
    this.#own = new Int32Array(flow);
  }

  /**
   * Counts the next message before it leaves, unless somebody has sent since `seen` was read: then false, and nothing is
   * counted. So of several threads that see the same actor with the least to do, one sends to it, and the others look again.
   */
  claim(seen: number): boolean {
    if (Atomics.compareExchange(this.#all, SENT, seen, (seen + 1) | 0) !== seen) return false;
    this.#claimed += 1;
    this.#count(1);
    return true;
  }

  /** A message has left. */
  add(): void {
    if (this.#claimed > 0) this.#claimed -= 1;
    else {
      this.#count(1);
      Atomics.add(this.#all, SENT, 1);
    }
  }

  /** The message cannot be sent. */
  takeBack(): void {
    if (this.#claimed === 0) return;
    this.#claimed -= 1;
    this.#count(-1);
    Atomics.sub(this.#all, SENT, 1);
  }

  #count(change: 1 | -1): void {
    this.#sent = (this.#sent + change) | 0;
    Atomics.store(this.#own, SENT_CELL, this.#sent);
  }
}

/** The actor's side of one channel. */
export class ArrivedCount {
  readonly #all: Cells;
  readonly #own: Cells;
  #arrived = 0;

  constructor({ underWay, flow }: ChannelMemory) {
    this.#all = new Int32Array(underWay);
    this.#own = new Int32Array(flow);
  }

  /** A message has come. */
  add(): void {
    this.#arrived = (this.#arrived + 1) | 0;
    Atomics.add(this.#all, ARRIVED, 1);
  }

  /** Nothing more will come. */
  close(): void {
    const lost = (Atomics.load(this.#own, SENT_CELL) - this.#arrived) | 0;
    this.#arrived = (this.#arrived + lost) | 0;
    Atomics.add(this.#all, ARRIVED, lost);
  }
}
