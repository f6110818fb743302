/**
 * Deadlines of calls. A timer for each call is more than many calls cost; calls that are made in one turn with the same
 * deadline share one, which is cleared when the last of them has settled.
 */
import { after } from '../util/timers.ts';

/** What a deadline ends. */
export interface Mortal {
  expire(): void;
}

/** Those that share a timer. */
export class Deadline {
  readonly #members = new Set<Mortal>();
  readonly #timer: NodeJS.Timeout;
  readonly #onEmpty: () => void;

  constructor(ms: number, onEmpty: () => void) {
    this.#onEmpty = onEmpty;
    this.#timer = after(ms, () => {
      onEmpty();
      for (const member of this.#members) member.expire();
    });
  }

  add(member: Mortal): void {
    this.#members.add(member);
  }

  delete(member: Mortal): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    clearTimeout(this.#timer);
    this.#onEmpty();
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
