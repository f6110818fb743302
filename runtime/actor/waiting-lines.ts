/**
 * What waits in a mailbox: a line for each priority. The first of the most urgent line is next; but what is less urgent is
 * overtaken by so many in a row at most, so it always gets on, however much that is urgent comes.
 *
 *     high    ▪▪▪▪▪▪▪▪   ──▶ 16 of these, then 1 of each line below that waits
 *     normal  ▪▪▪
 *     low     ▪
 */
import { FifoQueue } from '../util/fifo-queue.ts';
import type { Delivery } from './delivery.ts';

/** So many in a row overtake the first of a line. */
export const MOST_OVERTAKING = 16;

export class WaitingLines {
  readonly #high = new FifoQueue<Delivery>();
  readonly #normal = new FifoQueue<Delivery>();
  readonly #low = new FifoQueue<Delivery>();
  /** How many have overtaken the first of the line. */
  #overNormal = 0;
  #overLow = 0;

  get size(): number {
    return this.#high.size + this.#normal.size + this.#low.size;
  }

  push(delivery: Delivery): void {
    const { priority } = delivery;
    if (priority === 'normal') this.#normal.push(delivery);
    else if (priority === 'high') this.#high.push(delivery);
    else this.#low.push(delivery);
  }

  /** Takes the next; undefined when nothing waits. */
  shift(): Delivery | undefined {
    if (this.#low.size > 0 && this.#overLow >= MOST_OVERTAKING) return this.#takeLow();
    if (this.#normal.size > 0 && this.#overNormal >= MOST_OVERTAKING) return this.#takeNormal();
    if (this.#high.size > 0) {
      if (this.#normal.size > 0) this.#overNormal += 1;
      if (this.#low.size > 0) this.#overLow += 1;
      return this.#high.shift();
    }
    return this.#normal.size > 0 ? this.#takeNormal() : this.#takeLow();
  }

  /** Takes all out, the most urgent first. */
  drain(): Delivery[] {
    this.#overNormal = 0;
    this.#overLow = 0;
    return [...this.#high.drain(), ...this.#normal.drain(), ...this.#low.drain()];
  }

  #takeNormal(): Delivery | undefined {
    this.#overNormal = 0;
    if (this.#low.size > 0) this.#overLow += 1;
    return this.#normal.shift();
  }

  #takeLow(): Delivery | undefined {
    this.#overLow = 0;
    if (this.#normal.size > 0) this.#overNormal += 1;
    return this.#low.shift();
  }
}
