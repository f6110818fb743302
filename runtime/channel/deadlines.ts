/**
 * Deadlines of calls. A timer for each call is more than many calls cost; calls that are made in one turn with the same
 * deadline share one, which is cleared when the last of them has settled.
 */
import { after } from '../util/timers.ts';

/** What a deadline ends. */
export interface Mortal {
  readonly isSettled: boolean;
  expire(): void;
}

/** Those that have settled are dropped when they are so many, and more than the others. */
const COMPACT_FROM = 64;

/** Those that share a timer. */
export class Deadline {
  readonly #timer: NodeJS.Timeout;
  readonly #onEmpty: () => void;
  #members: Mortal[] = [];
  #settled = 0;

  constructor(ms: number, onEmpty: () => void) {
    this.#onEmpty = onEmpty;
    this.#timer = after(ms, () => {
      onEmpty();
      for (const member of this.#members) if (!member.isSettled) member.expire();
    });
  }

  add(member: Mortal): void {
    this.#members.push(member);
  }

  /** One of them has settled. To be called once for each. */
  noteSettled(): void {
    this.#settled += 1;
    if (this.#settled === this.#members.length) {
      clearTimeout(this.#timer);
      this.#onEmpty();
    } else if (this.#settled > COMPACT_FROM && this.#settled * 2 > this.#members.length) {
      this.#members = this.#members.filter(({ isSettled }) => !isSettled);
      this.#settled = 0;
    }
  }
}

/** Of this turn, by their milliseconds. */
const current = new Map<number, Deadline>();

/** The deadline of whatever begins now and may take so many ms. */
export function deadlineIn(ms: number): Deadline {
  const known = current.get(ms);
  if (known !== undefined) return known;
  const deadline: Deadline = new Deadline(ms, () => {
    if (current.get(ms) === deadline) current.delete(ms);
  });
  if (current.size === 0) process.nextTick(() => current.clear());
  current.set(ms, deadline);
  return deadline;
}
