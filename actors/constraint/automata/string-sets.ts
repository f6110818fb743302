/** Languages made of single strings and of other languages. */
import type { WorkBudget } from '../work-budget.ts';
import { type CharDfa, NO_STRING } from './char-dfa.ts';
import { CharNfa } from './char-nfa.ts';

/** Exactly these strings: a tree of their characters. */
export function literals(texts: readonly string[], budget: WorkBudget): CharDfa {
  const next: Map<number, number>[] = [new Map()];
  const accepting = [false];
  for (const text of texts) {
    let state = 0;
    for (const character of text) {
      const point = character.codePointAt(0) ?? 0;
      let target = next[state]?.get(point);
      if (target === undefined) {
        budget.spend(1);
        target = next.push(new Map()) - 1;
        accepting.push(false);
        next[state]?.set(point, target);
      }
      state = target;
    }
    accepting[state] = true;
  }
  const edges = next.map((out) =>
    [...out].sort(([a], [b]) => a - b).map(([point, target]) => ({ from: point, to: point, target })),
  );
  return texts.length === 0 ? NO_STRING : { edges, accepting };
}

/** Strings of any of `languages`. */
export function unite(languages: readonly CharDfa[], budget: WorkBudget): CharDfa {
  const [first] = languages;
  if (first !== undefined && languages.length === 1) return first;
  const nfa = new CharNfa(budget);
  const start = nfa.state();
  const end = nfa.state();
  for (const dfa of languages) nfa.embed(start, dfa, end);
  return nfa.toDfa(start, end);
}
