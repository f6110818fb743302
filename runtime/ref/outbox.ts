/**
 * What waits at a ref because it cannot be sent yet, in order, all of one priority. Messages for whichever member has room are in one line,
 * those for a certain member in a line of its own: one member that is full does not hold up what is for others.
 *
 * A member always gets the earliest message that it may get, of both lines; so to each member all arrive in order.
 */
import { FifoQueue } from '../util/fifo-queue.ts';
import type { Call } from './call.ts';

/** The member that a message is for; undefined: any. */
export type HomeOf = (call: Call) => string | undefined;

export class Outbox {
  readonly #any = new FifoQueue<Call>();
  readonly #bound = new Map<string, FifoQueue<Call>>();
  #size = 0;
  /** Of those that count against the limit. */
  #impatient = 0;
  /** At least so many were left by their senders. */
  #left = 0;
  /** Some have a key, and no member was there that it could have belonged to. */
  #hasHomeless = false;

  /** Messages that wait, those that were left by their senders included. */
  get size(): number {
    return this.#size;
  }

  /** Messages that wait. */
  get waiting(): number {
    let count = 0;
    for (const call of this.#all()) if (call.wanted) count += 1;
    return count;
  }

  /** Whether one that comes now would overtake another. */
  blocks(home: string | undefined): boolean {
    if (this.#size === 0) return false;
    return this.#any.size > 0 || (home !== undefined && this.hasFor(home));
  }

  /** Whether some wait for this very member. */
  hasFor(member: string): boolean {
    return (this.#bound.get(member)?.size ?? 0) > 0;
  }

  /** A member for which others wait gets those first. */
  readonly mayHave = (member: string): boolean => this.#size === 0 || !this.hasFor(member);

  /** Whether another one that is not patient may wait here. */
  hasRoom(limit: number): boolean {
    if (this.#impatient < limit) return true;
    if (this.#left > 0) this.#purge();
    return this.#impatient < limit;
  }

  push(call: Call, home: string | undefined): void {
    this.#line(home).push(call);
    if (home === undefined && call.routeKey !== undefined) this.#hasHomeless = true;
    this.#size += 1;
    if (!call.patient) this.#impatient += 1;
  }

  /** One of those that wait was left by its sender. */
  noteLeft(): void {
    this.#left += 1;
  }

  /**
   * Sends what can be sent. `post` is given a message and the member it is for, or undefined and a test for the members
   * that may have it; it returns false when there is no room.
   */
  flush(post: (call: Call, home: string | undefined, mayHave: (member: string) => boolean) => boolean): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (const [home, line] of this.#bound) {
        for (let call = this.#first(line); call !== undefined; call = this.#first(line)) {
          const earlier = this.#first(this.#any);
          if (earlier !== undefined && earlier.sequence < call.sequence) break;
          if (!post(call, home, () => true)) break;
          this.#shift(line);
          progress = true;
        }
      }
      for (let call = this.#first(this.#any); call !== undefined; call = this.#first(this.#any)) {
        const { sequence } = call;
        const mayHave = (member: string) => {
          const line = this.#bound.get(member);
          const earlier = line === undefined ? undefined : this.#first(line);
          return earlier === undefined || earlier.sequence > sequence;
        };
        if (!post(call, undefined, mayHave)) break;
        this.#shift(this.#any);
        progress = true;
      }
    }
  }

  /** Those that had left are back, and members have come or gone: all are put in line again. */
  rearrange(back: readonly Call[], homeOf: HomeOf): void {
    if (back.length === 0 && this.#bound.size === 0 && !this.#hasHomeless) return;
    const calls = [...this.drain(), ...back].sort((a, b) => a.sequence - b.sequence);
    for (const call of calls) this.push(call, homeOf(call));
  }

  /** Takes out those that are for members that will never come. */
  takeHopeless(
    whyNever: (home: string) => Error | undefined,
  ): { readonly call: Call; readonly why: Error }[] {
    const hopeless: { readonly call: Call; readonly why: Error }[] = [];
    for (const [home, line] of this.#bound) {
      const why = whyNever(home);
      if (why === undefined) continue;
      for (const call of line.drain()) {
        this.#forget(call);
        if (call.wanted) hopeless.push({ call, why });
      }
    }
    return hopeless;
  }

  /** Takes all out, in order. */
  drain(): Call[] {
    const calls = [...this.#all()].filter(({ wanted }) => wanted).sort((a, b) => a.sequence - b.sequence);
    this.#any.drain();
    this.#bound.clear();
    this.#size = 0;
    this.#impatient = 0;
    this.#left = 0;
    this.#hasHomeless = false;
    return calls;
  }

  #purge(): void {
    for (const line of [this.#any, ...this.#bound.values()]) {
      for (const call of line.drain()) {
        if (call.wanted) line.push(call);
        else this.#forget(call);
      }
    }
    this.#left = 0;
  }

  #line(home: string | undefined): FifoQueue<Call> {
    if (home === undefined) return this.#any;
    let line = this.#bound.get(home);
    if (line === undefined) {
      line = new FifoQueue();
      this.#bound.set(home, line);
    }
    return line;
  }

  /** The first that is still wanted. */
  #first(line: FifoQueue<Call>): Call | undefined {
    for (let call = line.peek(); call !== undefined && line.size > 0; call = line.peek()) {
      if (call.wanted) return call;
      this.#shift(line);
      if (this.#left > 0) this.#left -= 1;
    }
    return undefined;
  }

  #shift(line: FifoQueue<Call>): void {
    const call = line.shift();
    if (call !== undefined) this.#forget(call);
  }

  #forget(call: Call): void {
    this.#size -= 1;
    if (!call.patient) this.#impatient -= 1;
  }

  *#all(): Iterable<Call> {
    yield* this.#any;
    for (const line of this.#bound.values()) yield* line;
  }
}
