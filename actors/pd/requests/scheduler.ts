/**
 * Who waits, whose prompt is being run, and who runs. Admission is first come, first served and bounded: by the size
 * of the queue, of the batch, and by memory. The running set is kept dense: `running[row]` owns row `row` of the KV
 * cache, and a leaving sequence's row is taken by the last one.
 *
 *     waiting ──admit──▶ prefilling ──start──▶ running ──stop──▶
 */
import { AdmissionPermits } from './admission-permits.ts';
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
  #prefilling: Sequence[] = [];
  readonly #holds: (lengths: readonly number[]) => boolean;
  readonly #permits = new AdmissionPermits(() => this.limits.maxWaiting - this.#waiting.length);

  /** @param holds whether there is memory for sequences that may come to these lengths. Default: always */
  constructor(limits: SchedulerLimits, holds: (lengths: readonly number[]) => boolean = () => true) {
    this.limits = limits;
    this.#holds = holds;
  }

  get running(): readonly Sequence[] {
    return this.#running;
  }

  /** Admitted, in order, and not started yet. */
  get prefilling(): readonly Sequence[] {
    return this.#prefilling;
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
    this.#permits.taken();
    return true;
  }

  /** See `AdmissionPermits.next`. */
  roomToEnqueue(signal?: AbortSignal): Promise<void> {
    return this.#permits.next(signal);
  }

  /** The next of the queue, if the batch has a place and the memory has room for it; it is then prefilling. */
  admit(): Sequence | undefined {
    const [next] = this.#waiting;
    const admitted = [...this.#running, ...this.#prefilling];
    if (next === undefined || admitted.length >= this.limits.maxRunning) return undefined;
    if (!this.#holds([...admitted, next].map(({ longest }) => longest))) return undefined;
    this.#waiting.shift();
    this.#prefilling.push(next);
    this.#permits.freed();
    return next;
  }

  /** Adds a prefilled sequence to the batch; returns its row, the number of those before it. */
  start(sequence: Sequence): number {
    this.giveUp(sequence);
    return this.#running.push(sequence) - 1;
  }

  /** Takes out a sequence whose prompt will not be run to its end. */
  giveUp(sequence: Sequence): void {
    this.#prefilling = this.#prefilling.filter((one) => one !== sequence);
  }

  /** Takes a row's sequence out; the last running sequence moves into the row. */
  stop(row: number): void {
    const last = this.#running.pop();
    if (last !== undefined && row < this.#running.length) this.#running[row] = last;
  }

  /** Takes out of the queue all sequences that `isOver` names, in order. */
  dropWaiting(isOver: (sequence: Sequence) => boolean): Sequence[] {
    const dropped = this.#waiting.filter(isOver);
    if (dropped.length === 0) return dropped;
    this.#waiting = this.#waiting.filter((sequence) => !dropped.includes(sequence));
    this.#permits.freed();
    return dropped;
  }
}
