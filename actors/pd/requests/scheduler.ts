/**
 * Who waits, whose prompt is being run, and who runs. Admission is first come, first served and bounded: by the size
 * of the queue, of the batch, and by memory. A request takes as many places as it wants answers, all or none. The running
 * set is kept dense: `running[row]` owns row `row` of the KV cache, and a leaving answer's row is taken by the last one.
 *
 *     sequences waiting ──admit──▶ prefilling ──start──▶ their choices running ──stop──▶
 */
import { AdmissionPermits } from './admission-permits.ts';
import type { Choice } from './choice.ts';
import type { Sequence } from './sequence.ts';

export interface SchedulerLimits {
  /** Most answers in a decode batch; ≥ 1. */
  readonly maxRunning: number;
  /** Most answers waiting for their prefill; ≥ 1. A request that wants more waits as if it wanted so many. */
  readonly maxWaiting: number;
}

export class Scheduler {
  readonly limits: SchedulerLimits;
  readonly #running: Choice[] = [];
  #waiting: Sequence[] = [];
  #prefilling: Sequence[] = [];
  readonly #holds: (lengths: readonly number[]) => boolean;
  readonly #permits = new AdmissionPermits(() => this.#freePlaces);

  /** @param holds whether there is memory for sequences that may come to these lengths. Default: always */
  constructor(limits: SchedulerLimits, holds: (lengths: readonly number[]) => boolean = () => true) {
    this.limits = limits;
    this.#holds = holds;
  }

  get running(): readonly Choice[] {
    return this.#running;
  }

  /** Admitted, in order, and not started yet. */
  get prefilling(): readonly Sequence[] {
    return this.#prefilling;
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting;
  }

  /** Whether one more answer may wait. */
  get hasRoom(): boolean {
    return this.#freePlaces > 0;
  }

  /** Answers that run or whose prompt is run. */
  get admitted(): number {
    return this.#running.length + places(this.#prefilling);
  }

  /** Answers that wait. */
  get queued(): number {
    return places(this.#waiting);
  }

  /** Puts a sequence at the end of the waiting queue; false when that is full. */
  enqueue(sequence: Sequence): boolean {
    const wanted = this.#inQueue(sequence.choices.length);
    if (wanted > this.#freePlaces) return false;
    this.#waiting.push(sequence);
    this.#permits.taken(wanted);
    return true;
  }

  /** See `AdmissionPermits.next`. */
  roomToEnqueue(choices: number, signal?: AbortSignal): Promise<void> {
    return this.#permits.next(this.#inQueue(choices), signal);
  }

  /** The next of the queue, if the batch has places and the memory has room for all of it; it is then prefilling. */
  admit(): Sequence | undefined {
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    const prefilling = [...this.#prefilling, next].flatMap(({ choices }) => choices);
    const rows = [...this.#running, ...prefilling];
    if (rows.length > this.limits.maxRunning) return undefined;
    if (!this.#holds(rows.map(({ sequence }) => sequence.longest))) return undefined;
    this.#waiting.shift();
    this.#prefilling.push(next);
    this.#permits.freed();
    return next;
  }

  /** Adds the choices of a prefilled sequence to the batch; returns the row of the first, the number of those before it. */
  start(sequence: Sequence): number {
    this.giveUp(sequence);
    return this.#running.push(...sequence.choices) - sequence.choices.length;
  }

  /** Takes out a sequence whose prompt will not be run to its end. */
  giveUp(sequence: Sequence): void {
    this.#prefilling = this.#prefilling.filter((one) => one !== sequence);
  }

  /** Takes a row's choice out; the last running one moves into the row. */
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

  get #freePlaces(): number {
    return (
      this.limits.maxWaiting -
      this.#waiting.reduce((sum, { choices }) => sum + this.#inQueue(choices.length), 0)
    );
  }

  /** Places of the queue that a request takes. */
  #inQueue(choices: number): number {
    return Math.min(choices, this.limits.maxWaiting);
  }
}

function places(sequences: readonly Sequence[]): number {
  return sequences.reduce((sum, { choices }) => sum + choices.length, 0);
}
