/** Strings of JSON: what length, pattern and format leave, as rules of a grammar. */
import { type CharDfa, intersect, lengthsOf, NO_STRING, subtract } from '../automata/char-dfa.ts';
import { ANY_CODE_POINT } from '../automata/code-points.ts';
import { literals } from '../automata/string-sets.ts';
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import { writeJsonCharacter } from '../grammar/json-text.ts';
import { regexLanguage } from '../regex/regex-language.ts';
import { type Facts, numbersOf } from './facts.ts';
import { FORMATS, formatLanguage, INTEGER_FORMATS, NUMBER_FORMATS } from './formats.ts';
import { keywordError, type SchemaNode } from './schema-node.ts';

/** Every string. */
export const ANY_STRING: CharDfa = {
  edges: [ANY_CODE_POINT.map(([from, to]) => ({ from, to, target: 0 }))],
  accepting: [true],
};

export class StringRules {
  readonly #builder: GrammarBuilder;
  readonly #field: string;
  readonly #languages = new Map<string, CharDfa>();
  readonly #rules = new Map<string, number>();
  #character: number | undefined;

  constructor(builder: GrammarBuilder, field: string) {
    this.#builder = builder;
    this.#field = field;
  }

  /** The rule of a string of `dfa`, between quotes. `key` stands for the language. */
  rule(key: string, dfa: () => CharDfa): number {
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.#builder.rule('string', (nfa) => {
      const [open, close] = [nfa.state(), nfa.state()];
      nfa.text(nfa.start, '"', open);
      nfa.language(open, dfa(), close, writeJsonCharacter);
      nfa.text(close, '"', nfa.end);
    });
    this.#rules.set(key, rule);
    return rule;
  }

  /** Any string. */
  any(): number {
    return this.rule('', () => ANY_STRING);
  }

  /** What facts leave of all strings. */
  of(facts: Facts): number {
    const { min, max } = lengths(facts);
    const languages = this.#languagesOf(facts);
    if (languages.length === 0) return this.#ofLength(min, max);
    const key = `${languages.map((one) => one.key).join('\n')}\n${min} ${max}`;
    return this.rule(key, () => this.languageOf(facts));
  }

  /** The strings that facts leave. */
  languageOf(facts: Facts): CharDfa {
    const { budget } = this.#builder;
    const { min, max } = lengths(facts);
    const all = this.#languagesOf(facts).map(({ dfa }) => dfa);
    const dfa = all.reduce((left, right) => intersect(left, right, budget), all.shift() ?? ANY_STRING);
    if (dfa.edges.length === 0) return dfa;
    const { shortest, longest } = lengthsOf(dfa);
    return shortest >= min && longest <= max ? dfa : intersect(dfa, this.#lengths(min, max, longest), budget);
  }

  #languagesOf(facts: Facts) {
    return facts.flatMap(({ node, keywords }) =>
      (['pattern', 'format'] as const).flatMap((keyword) => {
        const dfa = keywords[keyword] === undefined ? undefined : this.language(node, keyword);
        return dfa === undefined ? [] : [{ key: `${keyword}:${String(keywords[keyword])}`, dfa }];
      }),
    );
  }

  /** The strings of `pattern` or `format`; `undefined` for a format that says nothing of strings. */
  language(node: SchemaNode, keyword: 'pattern' | 'format'): CharDfa | undefined {
    const value = typeof node.schema === 'boolean' ? '' : String(node.schema[keyword]);
    const field = `${this.#field}#${node.pointer}/${keyword}`;
    if (keyword === 'pattern') return this.#language(value, 'search', field);
    if (NUMBER_FORMATS.has(value) || Object.hasOwn(INTEGER_FORMATS, value)) return undefined;
    const format = formatLanguage(value);
    if (format !== undefined) return format;
    // A format that nobody knows says nothing, and beside a pattern nothing is lost.
    if (typeof node.schema !== 'boolean' && node.schema.pattern !== undefined) return undefined;
    const remedy = `Use one of ${Object.keys(FORMATS).join(', ')}, or a pattern.`;
    const problem = 'is a format that is not known';
    throw keywordError(this.#field, node, 'format', 'CONSTRAINT_UNSUPPORTED', problem, value, remedy);
  }

  /** The strings in which `pattern` is found. */
  found(node: SchemaNode, keyword: string, pattern: string): CharDfa {
    return this.#language(pattern, 'search', `${this.#field}#${node.pointer}/${keyword}`);
  }

  #language(pattern: string, scope: 'search' | 'whole', field: string): CharDfa {
    const key = `${scope} ${pattern}`;
    let dfa = this.#languages.get(key);
    if (dfa === undefined) {
      dfa = regexLanguage(pattern, scope, field, this.#builder.budget);
      this.#languages.set(key, dfa);
    }
    return dfa;
  }

  /** Any characters, counted. */
  #ofLength(min: number, max: number): number {
    if (min === 0 && max === Number.POSITIVE_INFINITY) return this.any();
    const key = `length ${min} ${max}`;
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.#builder.rule('string', (nfa) => {
      if (min > max) return;
      const [open, close] = [nfa.state(), nfa.state()];
      nfa.text(nfa.start, '"', open);
      const characters = this.#builder.repetition('characters', { rule: this.#anyCharacter(), min, max });
      nfa.call(open, characters, close);
      nfa.text(close, '"', nfa.end);
    });
    this.#rules.set(key, rule);
    return rule;
  }

  #anyCharacter(): number {
    this.#character ??= this.#builder.rule('character', (nfa) => {
      for (const [from, to] of ANY_CODE_POINT) writeJsonCharacter(nfa, nfa.start, from, to, nfa.end);
    });
    return this.#character;
  }

  /** Strings of `min` to `max` code points, `longest` at most where there is no `max`. */
  #lengths(min: number, max: number, longest: number): CharDfa {
    const last = Math.min(max, longest);
    const bounded = last !== Number.POSITIVE_INFINITY;
    const states = (bounded ? last : min) + 1;
    if (min > last) return NO_STRING;
    this.#builder.budget.spend(states);
    const anyTo = (target: number) => ANY_CODE_POINT.map(([from, to]) => ({ from, to, target }));
    return {
      edges: Array.from({ length: states }, (_, state) => {
        if (state < states - 1) return anyTo(state + 1);
        return bounded ? [] : anyTo(state);
      }),
      accepting: Array.from({ length: states }, (_, state) => state >= min),
    };
  }

  /** Strings of `dfa` that are none of `names`. */
  without(dfa: CharDfa, names: readonly string[]): CharDfa {
    return subtract(dfa, literals(names, this.#builder.budget), this.#builder.budget);
  }
}

function lengths(facts: Facts): { readonly min: number; readonly max: number } {
  return {
    min: Math.max(0, ...numbersOf(facts, 'minLength')),
    max: Math.min(Number.POSITIVE_INFINITY, ...numbersOf(facts, 'maxLength')),
  };
}
