/** Guesses how one answer goes on: at each place the follower that most often comes true of all n-grams that end there. */
import type { Calibration, Source } from './calibration.ts';
import { type NgramTable, type NgramTail, ORDERS } from './ngram-table.ts';

/** Tokens that may come, and how likely each is if those before it came. */
export interface Draft {
  readonly tokens: readonly number[];
  readonly chances: readonly number[];
  /** How many of them, the first ones, have no alternative. */
  readonly forced: number;
}

export interface DrafterParts {
  /** Of the request's prompt and answers. */
  readonly own: NgramTable;
  /** Of all answers; absent where they are not shared. */
  readonly shared: NgramTable | undefined;
  readonly calibration: Calibration;
  /** Whether tokens are drawn. */
  readonly drawn: boolean;
  /** Ends of the prompt. */
  readonly tail: NgramTail;
}

/** A guess that is less likely is not worth a token of a run. */
const LEAST_CHANCE = 0.2;

export class Drafter {
  readonly #calibration: Calibration;
  readonly #drawn: boolean;
  readonly #tables: readonly (readonly [Source, NgramTable])[];
  readonly #tail: NgramTail;

  constructor({ own, shared, calibration, drawn, tail }: DrafterParts) {
    this.#calibration = calibration;
    this.#drawn = drawn;
    this.#tables =
      shared === undefined
        ? [['own', own]]
        : [
            ['own', own],
            ['shared', shared],
          ];
    this.#tail = tail.copy();
  }

  /** The answer went on with this token. */
  observe(token: number): void {
    for (const [order, length] of ORDERS.entries()) {
      const hash = this.#tail.hash(length);
      if (hash === undefined) continue;
      for (const [source, table] of this.#tables) {
        const guess = table.after(hash);
        if (guess !== undefined) {
          this.#calibration.note(this.#kindOf(source, order, guess.hits), guess.token === token);
        }
        table.learn(hash, token);
      }
    }
    this.#tail.push(token);
  }

  /** @param forced tokens that come in any case */
  draft(forced: readonly number[], most: number): Draft {
    const tail = this.#tail.copy();
    const tokens = forced.slice(0, most);
    const chances: number[] = tokens.map(() => 1);
    for (const token of tokens) tail.push(token);
    while (tokens.length < most) {
      const guess = this.#guess(tail);
      if (guess === undefined) break;
      tokens.push(guess.token);
      chances.push(guess.chance);
      tail.push(guess.token);
    }
    return { tokens, chances, forced: Math.min(forced.length, most) };
  }

  #guess(tail: NgramTail): { token: number; chance: number } | undefined {
    let best: { token: number; chance: number } | undefined;
    for (const [order, length] of ORDERS.entries()) {
      const hash = tail.hash(length);
      if (hash === undefined) continue;
      for (const [source, table] of this.#tables) {
        const guess = table.after(hash);
        if (guess === undefined) continue;
        const chance = this.#calibration.chance(this.#kindOf(source, order, guess.hits));
        if (chance > (best?.chance ?? LEAST_CHANCE)) best = { token: guess.token, chance };
      }
    }
    return best;
  }

  #kindOf(source: Source, order: number, hits: number): number {
    return this.#calibration.kindOf(source, order, hits, this.#drawn);
  }
}
