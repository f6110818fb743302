/**
 * What a decode step and a run of several tokens of one answer take, by what they took. A run of t tokens is taken to cost
 * a + b · t: the weights are read once, the products grow. Only the ratio of the two decides.
 */

/** Weight of the newest measurement. */
const NEWEST = 0.15;
/** One that is longer than this many times what was expected was interrupted, and counts as so long. */
const LONGEST = 2;
/** Decode steps of a size before their time is believed. */
const ENOUGH = 3;
/** What a further token adds before anything was measured, as a share of a decode step. */
const FIRST_SLOPE = 0.12;
/** A first guess counts as much as so many measurements. */
const FIRST_WEIGHT = 3;

/** What decides whether a draft pays. */
export interface Costs {
  /** Of a decode step with so many rows, ms; undefined before it is known. */
  decode(rows: number): number | undefined;
  /** Of a run of so many tokens of one row, ms; undefined before it is known. */
  run(tokens: number): number | undefined;
  noteDecode(rows: number, ms: number): void;
  noteRun(tokens: number, ms: number): void;
}

interface Measured {
  ms: number;
  count: number;
}

export class RunCosts implements Costs {
  /** By rows. */
  readonly #decodes: Measured[] = [];
  /** Sums over runs, each weighing less as newer ones come: least squares of time over tokens. */
  readonly #sums = { weight: 0, tokens: 0, squares: 0, ms: 0, products: 0 };

  /** Of a decode step with so many rows, ms; undefined before it is known. */
  decode(rows: number): number | undefined {
    const measured = this.#decodes[rows];
    return measured === undefined || measured.count < ENOUGH ? undefined : measured.ms;
  }

  /** Of a run of so many tokens of one row, ms; undefined before a decode step is known. */
  run(tokens: number): number | undefined {
    if (this.#sums.weight === 0) {
      const step = this.decode(1);
      return step === undefined ? undefined : step * (1 + FIRST_SLOPE * (tokens - 1));
    }
    const { weight, tokens: sum, squares, ms, products } = this.#sums;
    const spread = weight * squares - sum * sum;
    const slope = spread <= 1e-9 ? 0 : Math.max(0, (weight * products - sum * ms) / spread);
    const mean = ms / weight;
    return Math.max(mean / LONGEST, mean + slope * (tokens - sum / weight));
  }

  noteDecode(rows: number, ms: number): void {
    const measured = this.#decodes[rows];
    if (measured === undefined) this.#decodes[rows] = { ms, count: 1 };
    else {
      const isFirst = measured.count < ENOUGH;
      measured.ms = isFirst
        ? Math.min(measured.ms, ms)
        : measured.ms + NEWEST * (Math.min(ms, LONGEST * measured.ms) - measured.ms);
      measured.count += 1;
    }
  }

  noteRun(tokens: number, ms: number): void {
    const expected = this.run(tokens);
    if (this.#sums.weight === 0 && expected !== undefined) {
      for (const first of [1, 9]) this.#add(first, this.run(first) ?? 0, FIRST_WEIGHT);
    }
    this.#add(tokens, expected === undefined ? ms : Math.min(ms, LONGEST * expected), 1);
  }

  #add(tokens: number, ms: number, weight: number): void {
    const sums = this.#sums;
    const kept = weight > 1 ? 1 : 1 - NEWEST / 4;
    sums.weight = sums.weight * kept + weight;
    sums.tokens = sums.tokens * kept + weight * tokens;
    sums.squares = sums.squares * kept + weight * tokens * tokens;
    sums.ms = sums.ms * kept + weight * ms;
    sums.products = sums.products * kept + weight * tokens * ms;
  }
}
