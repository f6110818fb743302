/**
 * The load board: how busy each actor is, in shared memory, so that a router on any thread reads it without
 * asking anybody. One slot for each incarnation of an actor, written by the actor's thread alone.
 *
 *     int32   0            1         2            3       4            5          6 … 10  11 … 15
 *           ┌────────────┬─────────┬────────────┬───────┬────────────┬──────────┬───────┬──────────┐
 *           │ queueDepth │ running │ freeSlots  │ beats │ busy since │ restarts │ pulse │ (unused) │  slot 0
 *           ├────────────┼─────────┼────────────┼───────┼────────────┼──────────┼───────┼──────────┤
 *           │            │         │            │       │            │          │       │          │  slot 1 …
 *           └────────────┴─────────┴────────────┴───────┴────────────┴──────────┴───────┴──────────┘
 *
 * A slot is a cache line of its own (64 bytes), so that actors on different cores do not slow each other down.
 * Readings are hints: a number may be stale by the time it is used, and two numbers of a slot are not read at
 * one instant.
 */

import { processNow } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import { giveMemory, takeMemory } from '../tensors/idle-memory.ts';
import { Pulse, type PulseLimits, PulseReader } from './pulse.ts';

const SLOT_CELLS = 16;

const QUEUE_DEPTH = 0;
const RUNNING = 1;
const FREE_SLOTS = 2;
const BEATS = 3;
const BUSY_SINCE = 4;
const RESTARTS = 5;

type Cells = Int32Array<SharedArrayBuffer>;

export interface LoadBoardHandle {
  readonly kind: 'load-board-handle';
  readonly memory: SharedArrayBuffer;
  /** On the process clock, ms. */
  readonly createdAt: number;
}

/** What an actor last published of its load. */
export interface LoadReading {
  /** Messages in the mailbox, and on their way to it. */
  readonly queueDepth: number;
  /** Requests in work. */
  readonly running: number;
  /** Requests that could be taken into work at once. */
  readonly freeSlots: number;
  /** Grows with each handler or step; wraps at 2^32. Unchanged while `busyMs` grows: the actor is stuck. */
  readonly beats: number;
  /** When the present handler or step began, ms since the board was created; 0 when idle. */
  readonly busySince: number;
  /** How long ago that was, ms; 0 when idle. */
  readonly busyMs: number;
  /** Times the actor was started again. */
  readonly restarts: number;
}

export class LoadBoard {
  readonly #cells: Cells;
  readonly #handle: LoadBoardHandle;
  /** Slots that were given back. Only the board's creator hands out slots. */
  readonly #freeSlots: number[] | undefined;
  /** Slots from here on were never claimed, and their memory never touched. */
  #unused = 0;

  private constructor(handle: LoadBoardHandle, freeSlots?: number[]) {
    this.#handle = handle;
    this.#cells = new Int32Array(handle.memory);
    this.#freeSlots = freeSlots;
  }

  static create(slots: number): LoadBoard {
    if (!Number.isSafeInteger(slots) || slots <= 0) {
      throw new RangeError(`a load board needs a whole number of slots above 0, got ${slots}`);
    }
    const memory = takeMemory(slots * SLOT_CELLS * Int32Array.BYTES_PER_ELEMENT); // `claim` makes slots zero
    const handle: LoadBoardHandle = { kind: 'load-board-handle', memory, createdAt: processNow() };
    return new LoadBoard(handle, []);
  }

  /** The same board on another thread, to read and to write slots that were claimed. */
  static attach(handle: LoadBoardHandle): LoadBoard {
    return new LoadBoard(handle);
  }

  handle(): LoadBoardHandle {
    return this.#handle;
  }

  /** A zeroed slot for a new incarnation. Throws `LOAD_BOARD_FULL`, and on an attached board `LOAD_BOARD_ATTACHED`. */
  claim(): number {
    const slots = this.#cells.length / SLOT_CELLS;
    const slot = this.#owned().pop() ?? this.#unused++;
    if (slot >= slots) {
      this.#unused = slots;
      throw new TroupeError(`all ${slots} slots of the load board are claimed`, {
        code: 'LOAD_BOARD_FULL',
        details: { slots },
      });
    }
    this.#cells.fill(0, slot * SLOT_CELLS, (slot + 1) * SLOT_CELLS);
    return slot;
  }

  /** Gives a slot back; to be called once, when the incarnation can no longer write. */
  free(slot: number): void {
    this.#cellsOf(slot);
    const free = this.#owned();
    if (free.includes(slot) || slot >= this.#unused)
      throw new RangeError(`slot ${slot} of the load board is not claimed`);
    free.push(slot);
  }

  /** Nobody writes to it any more: the next board may have its memory. */
  retire(): void {
    giveMemory(this.#handle.memory);
  }

  writer(slot: number): LoadWriter {
    return new LoadWriter(this.#cellsOf(slot), this.#handle.createdAt);
  }

  /** The thread's side of the pulse (see `pulse.ts`). */
  pulse(slot: number, limits: PulseLimits, exit: () => void): Pulse {
    return new Pulse(this.#cellsOf(slot), limits, exit);
  }

  /** The supervisor's side of it. */
  pulseReader(slot: number): PulseReader {
    return new PulseReader(this.#cellsOf(slot));
  }

  /**
   * Messages waiting plus requests in work: what least-loaded routing compares. Makes no object.
   * @param underWay messages that the actor has not taken yet (see `UnderWay`). Default 0
   * @param known messages that wait there for sure, whether they were counted or not. Default 0
   */
  load(slot: number, underWay = 0, known = 0): number {
    const at = slot * SLOT_CELLS;
    const waiting = Atomics.load(this.#cells, at + QUEUE_DEPTH) + underWay;
    return Math.max(waiting, known) + Atomics.load(this.#cells, at + RUNNING);
  }

  /** @param underWay messages that the actor has not taken yet (see `UnderWay`). Default 0 */
  read(slot: number, underWay = 0): LoadReading {
    const cells = this.#cellsOf(slot);
    const now = processNow() - this.#handle.createdAt;
    const since = Atomics.load(cells, BUSY_SINCE);
    // The cell has wrapped after 25 days; the difference has not, unless the actor was busy for that long.
    const busyMs = since === 0 ? 0 : Math.max(0, (Math.trunc(now) - since) | 0);
    return {
      queueDepth: Atomics.load(cells, QUEUE_DEPTH) + underWay,
      running: Atomics.load(cells, RUNNING),
      freeSlots: Atomics.load(cells, FREE_SLOTS),
      beats: Atomics.load(cells, BEATS) >>> 0,
      busySince: since === 0 ? 0 : Math.max(1, Math.trunc(now) - busyMs),
      busyMs,
      restarts: Atomics.load(cells, RESTARTS),
    };
  }

  #owned(): number[] {
    if (this.#freeSlots !== undefined) return this.#freeSlots;
    throw new TroupeError('slots are claimed and freed on the thread that created the load board', {
      code: 'LOAD_BOARD_ATTACHED',
    });
  }

  #cellsOf(slot: number): Cells {
    const slots = this.#cells.length / SLOT_CELLS;
    if (!Number.isInteger(slot) || slot < 0 || slot >= slots) {
      throw new RangeError(`the load board has slots 0 to ${slots - 1}, got ${slot}`);
    }
    return this.#cells.subarray(slot * SLOT_CELLS, (slot + 1) * SLOT_CELLS);
  }
}

/** Publishes one incarnation's load. */
export class LoadWriter {
  readonly #cells: Cells;
  readonly #createdAt: number;

  constructor(cells: Cells, createdAt: number) {
    this.#cells = cells;
    this.#createdAt = createdAt;
  }

  queueDepth(messages: number): void {
    Atomics.store(this.#cells, QUEUE_DEPTH, messages);
  }

  running(requests: number): void {
    Atomics.store(this.#cells, RUNNING, requests);
  }

  freeSlots(slots: number): void {
    Atomics.store(this.#cells, FREE_SLOTS, slots);
  }

  restarts(count: number): void {
    Atomics.store(this.#cells, RESTARTS, count);
  }

  /** Work goes on: once for each handler or step. */
  beat(): void {
    Atomics.add(this.#cells, BEATS, 1);
  }

  /** A handler or step begins now. */
  busy(): void {
    const now = Math.trunc(processNow() - this.#createdAt) | 0;
    Atomics.store(this.#cells, BUSY_SINCE, now === 0 ? 1 : now);
  }

  idle(): void {
    Atomics.store(this.#cells, BUSY_SINCE, 0);
  }
}
