/**
 * An actor's mailbox: what has arrived and not been started, in order, and how many handlers are in progress.
 *
 * Handlers start in the event loop's check phase, after everything that has arrived was read, so an interrupt
 * that came right behind its message still finds it waiting; and only so many in a row, so that timers and the
 * control lane get in between.
 */
import { FifoQueue } from '../util/fifo-queue.ts';
import type { Delivery } from './inlet.ts';

export interface MailboxOwner {
  /** A delivery leaves the mailbox. Its handling is over when the promise is. Never rejects. */
  handle(delivery: Delivery): Promise<void>;
  /** The number of waiting messages or handlers has changed. */
  onChange(): void;
}

const STARTS_PER_TURN = 64;

export class Mailbox {
  readonly #owner: MailboxOwner;
  readonly #concurrency: number;
  readonly #waiting = new FifoQueue<Delivery>();
  #handling = 0;
  #turnScheduled = false;
  #startsLeft = 0;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(concurrency: number, owner: MailboxOwner) {
    this.#concurrency = concurrency;
    this.#owner = owner;
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
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    setImmediate(() => {
      this.#turnScheduled = false;
      this.#startsLeft = STARTS_PER_TURN;
      this.#start();
    });
  }

  #start(): void {
    while (this.#handling < this.#concurrency && !this.isClosed && this.#waiting.size > 0) {
      if (this.#startsLeft === 0) {
        this.#scheduleTurn();
        break;
      }
      this.#startsLeft -= 1;
      const delivery = this.#waiting.shift();
      if (delivery !== undefined) void this.#handle(delivery);
    }
    this.#owner.onChange();
  }

  async #handle(delivery: Delivery): Promise<void> {
    this.#handling += 1;
    await this.#owner.handle(delivery);
    this.#handling -= 1;
    if (this.#handling === 0) this.#closed?.resolve();
    this.#start();
  }
}
