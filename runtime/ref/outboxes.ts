/** What waits at a ref: of each priority a line of its own, so that what is less urgent holds up nothing. */
import { PRIORITIES, type Priority } from '../channel/priority.ts';
import type { Call } from './call.ts';
import { type HomeOf, Outbox } from './outbox.ts';

export class Outboxes {
  readonly #of: Readonly<Record<Priority, Outbox>> = {
    high: new Outbox(),
    normal: new Outbox(),
    low: new Outbox(),
  };

  of(priority: Priority): Outbox {
    return this.#of[priority];
  }

  /** Messages that wait, those that were left by their senders included. */
  get size(): number {
    const { high, normal, low } = this.#of;
    return high.size + normal.size + low.size;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#all.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Sends what can be sent, the most urgent first. */
  flush(post: Parameters<Outbox['flush']>[0]): void {
    for (const outbox of this.#all) if (outbox.size > 0) outbox.flush(post);
  }

  /** Those that had left are back, and members have come or gone. */
  rearrange(back: readonly Call[], homeOf: HomeOf): void {
    for (const priority of PRIORITIES) {
      const ofIt = back.filter((call) => call.priority === priority);
      this.#of[priority].rearrange(ofIt, homeOf);
    }
  }

  /** Takes out those that are for members that will never come. */
  takeHopeless(whyNever: Parameters<Outbox['takeHopeless']>[0]): ReturnType<Outbox['takeHopeless']> {
    return this.#all.flatMap((outbox) => outbox.takeHopeless(whyNever));
  }

  /** Takes all out, in the order of their calls. */
  drain(): Call[] {
    return this.#all.flatMap((outbox) => outbox.drain()).sort((a, b) => a.sequence - b.sequence);
  }

  get #all(): readonly Outbox[] {
    return PRIORITIES.map((priority) => this.#of[priority]);
  }
}
