/**
 * An actor's mailbox: what has arrived and not been started, and how many handlers are in progress.
 *
 * Handlers start in the event loop's check phase, after everything that has arrived was read, so an interrupt
 * that came right behind its message still finds it waiting. A turn starts handlers for a millisecond, or so many: then
 * the event loop turns, and timers, the control lane and interrupts get in between. So what was called off while a handler
 * computed is not started after it.
 */
import { flushAll } from '../transport/departures.ts';
import { isThenable } from '../util/realms.ts';
import type { Delivery } from './delivery.ts';
import { WaitingLines } from './waiting-lines.ts';

export interface MailboxOwner {
  /** A delivery leaves the mailbox. Its handling is over at once, or when the promise is. Never throws, never rejects. */
  handle(delivery: Delivery): Promise<void> | undefined;
  /** The number of waiting messages or handlers has changed. */
  onChange(): void;
}

const STARTS_PER_TURN = 256;
const TURN_MS = 1;
/** A handler that computes for longer is not let go before answers that are ready have left. */
const BRIEF_MS = 0.1;

export class Mailbox {
  readonly #owner: MailboxOwner;
  readonly #concurrency: number;
  readonly #now: () => number;
  readonly #waiting = new WaitingLines();
  /** Methods whose handlers gave way soon when they ran last. */
  readonly #brief = new Set<string>();
  #handling = 0;
  #turnScheduled = false;
  #startsLeft = 0;
  #turnBeganAt = 0;
  #closed: PromiseWithResolvers<void> | undefined;

  /** @param now ms, on a clock that does not jump */
  constructor(concurrency: number, owner: MailboxOwner, now: () => number = () => performance.now()) {
    this.#concurrency = concurrency;
    this.#owner = owner;
    this.#now = now;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Handlers in progress. */
  get handling(): number {
    return this.#handling;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  push(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#scheduleTurn();
    this.#owner.onChange();
  }

  /** Starts nothing more, and returns what waits. */
  close(): Delivery[] {
    this.#closed ??= Promise.withResolvers<void>();
    if (this.#handling === 0) this.#closed.resolve();
    return this.#waiting.drain();
  }

  /** After `close`: resolves when the handlers in progress have ended. */
  async idle(): Promise<void> {
    await this.#closed?.promise;
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#handling >= this.#concurrency) return;
    this.#turnScheduled = true;
    setImmediate(() => {
      this.#turnScheduled = false;
      this.#startsLeft = STARTS_PER_TURN;
      this.#turnBeganAt = this.#now();
      this.#start(this.#turnBeganAt);
    });
  }

  #start(now: number): void {
    let startedAt = now;
    while (this.#handling < this.#concurrency && !this.isClosed && this.#waiting.size > 0) {
      if (this.#startsLeft === 0 || startedAt - this.#turnBeganAt >= TURN_MS) {
        this.#scheduleTurn();
        break;
      }
      this.#startsLeft -= 1;
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      const { method } = delivery.message;
      if (!this.#brief.has(method)) flushAll();
      this.#handle(delivery);
      const endedAt = this.#now();
      this.#note(method, endedAt - startedAt < BRIEF_MS);
      startedAt = endedAt;
    }
    this.#owner.onChange();
  }

  #note(method: string, isBrief: boolean): void {
    if (isBrief) this.#brief.add(method);
    else this.#brief.delete(method);
  }

  #handle(delivery: Delivery): void {
    this.#handling += 1;
    const handled = this.#owner.handle(delivery);
    if (isThenable(handled)) void this.#whenDone(handled);
    else this.#done();
  }

  async #whenDone(handled: PromiseLike<void>): Promise<void> {
    await handled;
    this.#done();
    this.#start(this.#now());
  }

  #done(): void {
    this.#handling -= 1;
    if (this.#handling === 0) this.#closed?.resolve();
  }
}
