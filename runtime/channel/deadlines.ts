/**
 * Deadlines of calls. A timer for each call is more than many calls cost; so calls with the same number of milliseconds stand
 * in one line, in the order of their ends, and one timer is for the first of them. Most are answered long before: then the
 * timer goes on, without keeping the process, and is there for the next.
 */
import { after } from '../util/timers.ts';

/** What a deadline ends. */
export interface Mortal {
  readonly isSettled: boolean;
  expire(): void;
}

/** Those that have settled are dropped when they are so many, and more than the others. */
const COMPACT_FROM = 64;
/** Lines without calls whose timers go on. Programs use few different deadlines, or a new one for each call. */
const MOST_IDLE = 4;

const lines = new Map<number, Deadline>();
/** The lines in which nothing stands, the longest idle first. */
const idle: Deadline[] = [];

/** Of all calls with one number of milliseconds. */
export class Deadline {
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, on the clock of this thread. */
  #firesAt = 0;
  #members: Mortal[] = [];
  /** When each of them ends. */
  #ends: number[] = [];
  #settled = 0;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(member: Mortal): void {
    const end = performance.now() + this.#ms;
    if (this.#timer === undefined) this.#setTimer(this.#ms, end);
    else if (this.#members.length === 0 && leaveIdle(this)) this.#timer.ref();
    this.#members.push(member);
    this.#ends.push(end);
  }

  /** One of them has settled. To be called once for each. */
  noteSettled(): void {
    this.#settled += 1;
    if (this.#settled === this.#members.length) this.#rest();
    else if (this.#settled > COMPACT_FROM && this.#settled * 2 > this.#members.length) this.#compact();
  }

  /** Nothing stands in it, and nothing will. */
  close(): void {
    clearTimeout(this.#timer);
    leaveIdle(this);
    lines.delete(this.#ms);
  }

  #onTime(): void {
    const ended = this.#ends.findIndex((end) => end > this.#firesAt);
    const due = this.#members.slice(0, ended === -1 ? undefined : ended);
    for (const member of due) if (!member.isSettled) member.expire(); // which tells this line that it has settled
    this.#compact();
    const [first] = this.#ends;
    if (first === undefined) this.close();
    else this.#setTimer(Math.ceil(first - performance.now()), first);
  }

  #setTimer(ms: number, firesAt: number): void {
    this.#timer = after(ms, () => this.#onTime());
    this.#firesAt = firesAt;
  }

  #compact(): void {
    const kept = this.#members.map(({ isSettled }) => !isSettled);
    this.#members = this.#members.filter((_, index) => kept[index]);
    this.#ends = this.#ends.filter((_, index) => kept[index]);
    this.#settled = 0;
  }

  #rest(): void {
    this.#members.length = 0;
    this.#ends.length = 0;
    this.#settled = 0;
    this.#timer?.unref();
    idle.push(this);
    if (idle.length > MOST_IDLE) idle[0]?.close();
  }
}

/** Whether it was one of them. */
function leaveIdle(line: Deadline): boolean {
  const at = idle.indexOf(line);
  if (at !== -1) idle.splice(at, 1);
  return at !== -1;
}

/** The line for whatever begins now and may take so many ms. */
export function deadlineIn(ms: number): Deadline {
  const known = lines.get(ms);
  if (known !== undefined) return known;
  const line = new Deadline(ms);
  lines.set(ms, line);
  return line;
}
