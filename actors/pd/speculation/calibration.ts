/**
 * How often guesses of one kind come true. Every guess is compared with the token that came, whether it was drafted or
 * not: so this is known before a run is spent on a draft, and while none is.
 */
import { ORDERS } from './ngram-table.ts';

export const SOURCES = ['own', 'shared'] as const;
export type Source = (typeof SOURCES)[number];

/** Weight of the newest guess. */
const NEWEST = 1 / 32;
const HITS = 8;
/** Before anything is known: too little for a draft of more than a token. */
const FIRST = 0.5;

export class Calibration {
  readonly #chances = new Float64Array(2 * SOURCES.length * ORDERS.length * HITS).fill(FIRST);

  /**
   * The kind of a guess: where it is from, how long its n-gram is, how sure the table was, and whether tokens are drawn.
   *
   * @param order index in `ORDERS`
   */
  kindOf(source: Source, order: number, hits: number, drawn: boolean): number {
    const from = (drawn ? SOURCES.length : 0) + SOURCES.indexOf(source);
    return (from * ORDERS.length + order) * HITS + Math.min(hits, HITS - 1);
  }

  chance(kind: number): number {
    return this.#chances[kind] ?? 0;
  }

  note(kind: number, cameTrue: boolean): void {
    const before = this.chance(kind);
    this.#chances[kind] = before + NEWEST * ((cameTrue ? 1 : 0) - before);
  }
}
