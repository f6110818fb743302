/**
 * Who waits and who runs. Admission is first come, first served and bounded on both sides. The running set is kept
 * dense: `running[row]` owns row `row` of the KV cache, and a leaving sequence's row is taken by the last one.
 */
import { Places } from './places.ts';
import type { Sequence } from './sequence.ts';

export interface SchedulerLimits {
  /** Most sequences in a decode batch; ≥ 1. */
  readonly maxRunning: number;
  /** Most sequences waiting for their prefill; ≥ 1. */
  readonly maxWaiting: number;
}

export class Scheduler {
  readonly limits: SchedulerLimits;
  readonly #running: Sequence[] = [];
  #waiting: Sequence[] = [];
  readonly #places = new Places(() => this.limits.maxWaiting - this.#waiting.length);

  constructor(limits: SchedulerLimits) {
    this.limits = limits;
  }

  get running(): readonly Sequence[] {
    return this.#running;
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.limits.maxWaiting;
  }

  /** Puts a sequence at the end of the waiting queue; false when that is full. */
  enqueue(sequence: Sequence): boolean {
    if (!this.hasRoom) return false;
    this.#waiting.push(sequence);
    this.#places.taken();
    return true;
  }

  /** See `Places.next`. */
  roomToEnqueue(signal?: AbortSignal): Promise<void> {
    return this.#places.next(signal);
  }

  /** The next sequence to prefill, taken from the queue, if the running set has a place for it. */
  admit(): Sequence | undefined {
    if (this.#running.length >= this.limits.maxRunning) return undefined;
    const sequence = this.#waiting.shift();
    this.#places.freed();
    return sequence;
  }

  /** Adds a prefilled sequence; returns its row, the number of those before it. */
  start(sequence: Sequence): number {
    return this.#running.push(sequence) - 1;
  }

  /** Takes a row's sequence out; the last running sequence moves into the row. */
  stop(row: number): void {
    const last = this.#running.pop();
    if (last !== undefined && row < this.#running.length) this.#running[row] = last;
  }

  /** Takes out of the queue all sequences that `leaves` names, in order. */
  dropWaiting(leaves: (sequence: Sequence) => boolean): Sequence[] {
    const dropped = this.#waiting.filter(leaves);
    if (dropped.length === 0) return dropped;
    this.#waiting = this.#waiting.filter((sequence) => !dropped.includes(sequence));
    this.#places.freed();
    return dropped;
  }
}
