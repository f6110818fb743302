/**
 * Messages that reached nobody: sent without an answer to an actor that had no room or was gone, or found in a
 * mailbox that was closed. A bounded record and an event stream, for people who wonder where a message went.
 */
import type { ActorErrorCode } from './errors.ts';
import { Events } from './util/events.ts';

/** A message that reached nobody. */
export interface DeadLetter {
  /** To whom it was sent: a pool, or a member (`pool/0`). */
  readonly actor: string;
  /** Its method in the protocol. */
  readonly method: string;
  /** Why it was not delivered. */
  readonly code: ActorErrorCode;
  /** Epoch milliseconds. */
  readonly at: number;
}

const KEPT = 128;

/** The last dead letters, how many there were, and an event for each. */
export class DeadLetters {
  readonly #events = new Events<{ letter: [DeadLetter] }>();
  #recent: DeadLetter[] = [];
  #total = 0;

  /** The last 128, oldest first. */
  get recent(): readonly DeadLetter[] {
    return this.#recent;
  }

  /** All since the start. */
  get total(): number {
    return this.#total;
  }

  /** Records a letter, with the time. @internal */
  add(letter: Omit<DeadLetter, 'at'>): void {
    this.record({ ...letter, at: Date.now() });
  }

  /** Records a letter that another thread reported. @internal */
  record(letter: DeadLetter): void {
    this.#total += 1;
    this.#recent = [...this.#recent.slice(1 - KEPT), letter];
    this.#events.emit('letter', letter);
  }

  /** Returns a function that ends the subscription. */
  subscribe(listener: (letter: DeadLetter) => void): () => void {
    this.#events.on('letter', listener);
    return () => this.#events.off('letter', listener);
  }
}
