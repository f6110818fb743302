/**
 * The strings that a regular expression describes, as an automaton. Look-ahead is a condition on all that follows, so it
 * becomes an intersection (a difference where it is negative) with the rest of the pattern. That is exact only where
 * the rest reaches to the end: outside of groups and repetitions.
 */
import { type CharDfa, intersect, subtract } from '../automata/char-dfa.ts';
import { CharNfa } from '../automata/char-nfa.ts';
import { unite } from '../automata/string-sets.ts';
import type { WorkBudget } from '../work-budget.ts';
import { parseRegex, patternRefused } from './parse-regex.ts';
import { ANY_TEXT, type RegexNode } from './regex-node.ts';

/** How a pattern meets a string: `search` finds it anywhere (JSON schema), `whole` wants it to be the string. */
export type RegexScope = 'search' | 'whole';

/** @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE */
export function regexLanguage(
  pattern: string,
  scope: RegexScope,
  field: string,
  budget: WorkBudget,
): CharDfa {
  return new RegexLanguage(pattern, field, budget).of(scope);
}

/** A node of the pattern, or what has become of its rest. */
type Part = RegexNode | { readonly kind: 'language'; readonly dfa: CharDfa };

class RegexLanguage {
  readonly #pattern: string;
  readonly #field: string;
  readonly #budget: WorkBudget;

  constructor(pattern: string, field: string, budget: WorkBudget) {
    this.#pattern = pattern;
    this.#field = field;
    this.#budget = budget;
  }

  of(scope: RegexScope): CharDfa {
    const node = parseRegex(this.#pattern, this.#field);
    const around = scope === 'search' ? [ANY_TEXT] : [];
    return unite(
      options(node).map((option) => this.#sequence([...around, ...parts(option), ...around])),
      this.#budget,
    );
  }

  #sequence(all: readonly RegexNode[]): CharDfa {
    const index = all.findIndex((part) => part.kind === 'look-ahead');
    const look = all[index];
    if (look?.kind !== 'look-ahead') return this.#dfa(all);
    const before = all.slice(0, index);
    const rest = all.slice(index + 1);
    if ([look.of, ...rest].some(hasStartAnchor)) throw this.#refused('a start anchor behind look-ahead');
    const ahead = unite(
      options(look.of).map((option) => this.#sequence([...parts(option), ANY_TEXT])),
      this.#budget,
    );
    const following = this.#sequence(rest);
    const both = look.negative
      ? subtract(following, ahead, this.#budget)
      : intersect(following, ahead, this.#budget);
    return this.#dfa([...before, { kind: 'language', dfa: both }]);
  }

  #dfa(all: readonly Part[]): CharDfa {
    const nfa = new CharNfa(this.#budget);
    const start = nfa.state();
    let end = start;
    for (const part of all) {
      const next = nfa.state();
      this.#add(nfa, part, end, next);
      end = next;
    }
    return nfa.toDfa(start, end);
  }

  #add(nfa: CharNfa, part: Part, start: number, end: number): void {
    switch (part.kind) {
      case 'chars':
        nfa.read(start, part.set, end);
        return;
      case 'language':
        nfa.embed(start, part.dfa, end);
        return;
      case 'anchor':
        nfa.pass(start, end, part.at === 'start' ? 'at-start' : 'at-end');
        return;
      case 'choice':
        for (const option of part.options) this.#add(nfa, option, start, end);
        return;
      case 'sequence': {
        let at = start;
        for (const one of part.parts) {
          const next = nfa.state();
          this.#add(nfa, one, at, next);
          at = next;
        }
        nfa.pass(at, end);
        return;
      }
      case 'repeat':
        this.#repeat(nfa, part, start, end);
        return;
      case 'look-ahead':
        throw this.#refused('look-ahead within a group');
      default:
        part satisfies never;
    }
  }

  #repeat(
    nfa: CharNfa,
    { of, min, max }: Extract<RegexNode, { kind: 'repeat' }>,
    start: number,
    end: number,
  ): void {
    let at = start;
    const once = (): void => {
      const next = nfa.state();
      this.#add(nfa, of, at, next);
      at = next;
    };
    for (let i = 0; i < min; i++) once();
    if (max === Number.POSITIVE_INFINITY) {
      // A state of its own, so that the circle takes in nothing that comes before.
      const circle = nfa.state();
      nfa.pass(at, circle);
      this.#add(nfa, of, circle, circle);
      nfa.pass(circle, end);
      return;
    }
    for (let i = min; i < max; i++) {
      nfa.pass(at, end);
      once();
    }
    nfa.pass(at, end);
  }

  #refused(what: string) {
    return patternRefused(this.#pattern, this.#field, what);
  }
}

function options(node: RegexNode): readonly RegexNode[] {
  return node.kind === 'choice' ? node.options : [node];
}

function parts(node: RegexNode): readonly RegexNode[] {
  return node.kind === 'sequence' ? node.parts : [node];
}

function hasStartAnchor(node: RegexNode): boolean {
  switch (node.kind) {
    case 'anchor':
      return node.at === 'start';
    case 'sequence':
      return node.parts.some(hasStartAnchor);
    case 'choice':
      return node.options.some(hasStartAnchor);
    case 'repeat':
    case 'look-ahead':
      return hasStartAnchor(node.of);
    case 'chars':
      return false;
    default:
      return node satisfies never;
  }
}
