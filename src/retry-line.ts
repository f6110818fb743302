/**
 * The line in which requests wait that an actor died over. The first is let in alone; each that comes through without a death
 * makes room for one more, so that twice as many are tried in each round, and a death makes it one again. After a death that
 * no request is to blame for, as many soon are under way as before; and a request that kills is found among few.
 */

/** Most that are let in at once: more than a batch of most engines. */
const MOST_AT_ONCE = 16;

/** A request's time in the line: from when it is let in. */
export interface Turn {
  /** Nobody else was let in together with it: a death meanwhile is its own. */
  readonly alone: boolean;
  /** It has come through, or is lost. No effect when repeated. */
  leave(): void;
}

interface Waiting {
  readonly mustBeAlone: boolean;
  admit(): void;
}

interface Inside {
  readonly mustBeAlone: boolean;
  readonly deathsBefore: number;
  alone: boolean;
}

export class RetryLine {
  readonly #waiting = new Set<Waiting>();
  readonly #inside = new Set<Inside>();
  #width = 1;
  #deaths = 0;

  /** An actor died, perhaps of one of those that are inside. */
  noteDeath(): void {
    this.#deaths += 1;
    this.#width = 1;
  }

  /**
   * Resolves when the request is let in, in the order of the calls.
   * @param mustBeAlone it was in an actor that died together with others before: now nobody is let in beside it
   * @throws the signal's reason
   */
  async turn(signal: AbortSignal, mustBeAlone: boolean): Promise<Turn> {
    signal.throwIfAborted();
    const admitted = Promise.withResolvers<Turn>();
    const waiting: Waiting = { mustBeAlone, admit: () => admitted.resolve(this.#enter(mustBeAlone)) };
    const onAbort = () => {
      if (!this.#waiting.delete(waiting)) return;
      admitted.reject(signal.reason);
      this.#admit();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(waiting);
    this.#admit();
    try {
      return await admitted.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.mustBeAlone)) return;
      this.#waiting.delete(waiting);
      waiting.admit();
    }
  }

  #hasRoom(mustBeAlone: boolean): boolean {
    if (this.#inside.size === 0) return true;
    if (mustBeAlone || this.#inside.size >= this.#width) return false;
    for (const inside of this.#inside) if (inside.mustBeAlone) return false;
    return true;
  }

  #enter(mustBeAlone: boolean): Turn {
    const mine: Inside = { mustBeAlone, deathsBefore: this.#deaths, alone: this.#inside.size === 0 };
    for (const other of this.#inside) other.alone = false;
    this.#inside.add(mine);
    return {
      get alone() {
        return mine.alone;
      },
      leave: () => this.#leave(mine),
    };
  }

  #leave(inside: Inside): void {
    if (!this.#inside.delete(inside)) return;
    if (inside.deathsBefore === this.#deaths && this.#width < MOST_AT_ONCE) this.#width += 1;
    this.#admit();
  }
}
