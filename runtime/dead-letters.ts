/**
 * Messages that came to nothing, of which nobody would hear otherwise: sent without an answer to an actor that had no room
 * or was gone, found in a mailbox that was closed, under way in an actor that died, or failed in their handler. A bounded record and an event stream, for people who wonder where a message went.
 */
import { type ActorErrorCode, TroupeError } from './errors.ts';
import { Events } from './util/events.ts';
import { encodeError } from './wire/error-codec.ts';

/** A message that reached nobody. */
export interface DeadLetter {
  /** To whom it was sent: a pool, or a member (`pool/0`). */
  readonly actor: string;
  /** Its method in the protocol. */
  readonly method: string;
  /** Why it was not delivered, or not done. */
  readonly code: ActorErrorCode;
  /** What went wrong: the handler's error, or what the actor died of. Absent when there was just no room. */
  readonly error?: DeadLetterCause | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** An error as it is kept: without what cannot be cloned. */
export interface DeadLetterCause {
  /** `TypeError` */
  readonly name: string;
  /** What it says. */
  readonly message: string;
  /** Where it was thrown. */
  readonly stack: string | undefined;
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
  add({ error, ...letter }: Omit<DeadLetter, 'at' | 'error'> & { readonly error?: unknown }): void {
    this.record({ ...letter, ...(error === undefined ? {} : { error: causeOf(error) }), at: Date.now() });
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

/** What an error says of itself; never throws. Of a failure in a handler, that is the handler's own error. */
function causeOf(error: unknown): DeadLetterCause {
  const { name, message, stack, cause } = encodeError(error);
  const own =
    TroupeError.is(error) && error.code === 'DEFECT' && cause?.kind === 'error' ? cause.error : undefined;
  return own === undefined
    ? { name, message, stack }
    : { name: own.name, message: own.message, stack: own.stack };
}
