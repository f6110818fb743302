/**
 * Finds in free text where one of several texts has come, character by character (Aho and Corasick, 1975). Each state is
 * the longest beginning of any of them that the text so far ends with.
 */
import type { CodePoints } from '../automata/code-points.ts';
import { codePoints, complementCodePoints } from '../automata/code-points.ts';
import type { WorkBudget } from '../work-budget.ts';

interface Place {
  readonly next: Map<string, number>;
  /** The longest other beginning that ends here. */
  fallback: number;
  /** Texts that have come, by their index. */
  readonly found: number[];
}

export class BeginFinder {
  readonly #places: Place[] = [{ next: new Map(), fallback: 0, found: [] }];
  readonly #characters = new Set<string>();
  readonly #budget: WorkBudget;

  /** None of `begins` contains another. */
  constructor(begins: readonly string[], budget: WorkBudget) {
    this.#budget = budget;
    for (const [index, begin] of begins.entries()) this.#add(begin, index);
    this.#link();
  }

  /** Number of states; 0 is the start. */
  get size(): number {
    return this.#places.length;
  }

  /** Texts that have come when `state` is reached. */
  found(state: number): readonly number[] {
    return this.#places[state]?.found ?? [];
  }

  /** Where a character leads. */
  step(from: number, character: string): number {
    for (let state = from; ; state = this.#places[state]?.fallback ?? 0) {
      const next = this.#places[state]?.next.get(character);
      if (next !== undefined) return next;
      if (state === 0) return 0;
    }
  }

  /** Where a text leads from the start. */
  placeBehind(text: string): number {
    let place = 0;
    for (const character of text) place = this.step(place, character);
    return place;
  }

  /** Characters that lead somewhere from `state`, and all others, which lead to the start. */
  edges(state: number): { readonly set: CodePoints; readonly target: number }[] {
    this.#budget.spend(this.#characters.size);
    const points = [...this.#characters].map((character) => {
      const point = character.codePointAt(0) ?? 0;
      return { set: codePoints([[point, point]]), target: this.step(state, character) };
    });
    const all = codePoints(points.flatMap(({ set }) => set));
    return [...points, { set: complementCodePoints(all), target: 0 }];
  }

  #add(begin: string, index: number): void {
    let state = 0;
    for (const character of begin) {
      this.#characters.add(character);
      let next = this.#places[state]?.next.get(character);
      if (next === undefined) {
        this.#budget.spend(1);
        next = this.#places.push({ next: new Map(), fallback: 0, found: [] }) - 1;
        this.#places[state]?.next.set(character, next);
      }
      state = next;
    }
    this.#places[state]?.found.push(index);
  }

  /** Shorter ones first: a fallback is always shorter. */
  #link(): void {
    const queue = [0];
    for (const state of queue) {
      for (const [character, next] of this.#places[state]?.next ?? []) {
        const place = this.#places[next];
        if (place !== undefined && state !== 0)
          place.fallback = this.step(this.#places[state]?.fallback ?? 0, character);
        queue.push(next);
      }
    }
  }
}
