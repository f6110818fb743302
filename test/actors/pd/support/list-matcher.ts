/** A constraint that is easy to see through: the answer is one of some lists of tokens. */
import type { TokenMatcher } from '../../../../actors/constraint/token-matcher.ts';

export class ListMatcher implements TokenMatcher {
  readonly #lists: readonly (readonly number[])[];
  readonly #words: number;
  readonly #forces: boolean;
  readonly #taken: number[] = [];
  /** How often a mask was asked for. */
  masks = 0;

  /**
   * @param lists each with the token that ends the answer
   * @param forces whether `forced` tells of tokens without an alternative
   */
  constructor(lists: readonly (readonly number[])[], vocabulary: number, forces = false) {
    this.#lists = lists;
    this.#words = Math.ceil(vocabulary / 32);
    this.#forces = forces;
  }

  mask(): Uint32Array {
    this.masks += 1;
    const mask = new Uint32Array(this.#words);
    for (const id of this.#next(this.#taken)) mask[id >> 5] = (mask[id >> 5] ?? 0) | (1 << (id % 32));
    return mask;
  }

  accept(token: number): void {
    if (!this.#next(this.#taken).has(token)) throw new TypeError(`${token} may not come next`);
    this.#taken.push(token);
  }

  forced(): number[] {
    const forced: number[] = [];
    for (let only = this.#only(forced); this.#forces && only !== undefined; only = this.#only(forced)) {
      forced.push(only);
    }
    return forced;
  }

  #only(forced: readonly number[]): number | undefined {
    const next = [...this.#next([...this.#taken, ...forced])];
    return next.length === 1 ? next[0] : undefined;
  }

  #next(taken: readonly number[]): Set<number> {
    const going = this.#lists.filter((list) => taken.every((id, place) => list[place] === id));
    return new Set(going.flatMap((list) => list[taken.length] ?? []));
  }
}
