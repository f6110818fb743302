/**
 * A clock by which others are judged: it does not count the time in which we could not have heard them, because our own
 * process was held up or our connection was gone. Read at each tick; a longer gap counts as two ticks.
 */
import { TICK_MS } from './fleet-times.ts';

export class PatientClock {
  readonly #isConnected: () => boolean;
  readonly #read: () => number;
  #lastRead: number;
  #now = 0;

  constructor(isConnected: () => boolean, read: () => number = () => performance.now()) {
    this.#isConnected = isConnected;
    this.#read = read;
    this.#lastRead = read();
  }

  /** ms, as of the last tick. */
  get now(): number {
    return this.#now;
  }

  tick(): void {
    const read = this.#read();
    const passed = Math.min(read - this.#lastRead, 2 * TICK_MS);
    this.#lastRead = read;
    if (this.#isConnected()) this.#now += passed;
  }
}
