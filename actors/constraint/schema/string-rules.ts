/** Strings of JSON: what length, pattern and format leave, as rules of a grammar. */
import { type CharDfa, intersect, lengthsOf, NO_STRING, subtract } from '../automata/char-dfa.ts';
import { ANY_CODE_POINT } from '../automata/code-points.ts';
import { type RepeatedClass, repeatedClass } from '../automata/repeated-class.ts';
import { literals } from '../automata/string-sets.ts';
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import { writeJsonCharacter } from '../grammar/json-text.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { regexLanguage } from '../regex/regex-language.ts';
import { type Facts, numbersOf } from './facts.ts';
import {
  FORMATS,
  formatLanguage,
  INTEGER_FORMATS,
  LONG_URI_HEAD,
  LONG_URI_REST,
  NUMBER_FORMATS,
} from './formats.ts';
import { isKeywords, keywordError, type SchemaNode } from './schema-node.ts';

/** Every string. */
export const ANY_STRING: CharDfa = {
  edges: [ANY_CODE_POINT.map(([from, to]) => ({ from, to, target: 0 }))],
  accepting: [true],
};

/** What one keyword leaves, and what it is known by. */
interface Language {
  readonly key: string;
  readonly dfa: CharDfa;
}

export class StringRules {
  readonly #builder: GrammarBuilder;
  readonly #field: string;
  readonly #languages = new Map<string, CharDfa>();
  readonly #rules = new Map<string, number>();
  readonly #characters = new Map<string, number>();

  constructor(builder: GrammarBuilder, field: string) {
    this.#builder = builder;
    this.#field = field;
  }

  /** The rule of a string of `dfa`, between quotes. `key` stands for the language. */
  rule(key: string, dfa: () => CharDfa): number {
    return this.#quoted(key, (nfa, open, close) => nfa.language(open, dfa(), close, writeJsonCharacter));
  }

  #quoted(key: string, write: (nfa: RuleNfa, open: number, close: number) => void): number {
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.#builder.rule('string', (nfa) => {
      const [open, close] = [nfa.state(), nfa.state()];
      nfa.text(nfa.start, '"', open);
      write(nfa, open, close);
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
    if (languages.length === 0) return this.#ofLength(ANY_CODE_POINT, min, max);
    const key = `${languages.map((one) => one.key).join('\n')}\n${min} ${max}`;
    const bounded = min > 0 || max < Number.POSITIVE_INFINITY;
    const counted = bounded ? this.#counted(key, languages, min, max) : undefined;
    return counted ?? this.rule(key, () => this.languageOf(facts));
  }

  /** With lengths that need not be spelled out, where that can be said. */
  #counted(key: string, languages: readonly Language[], min: number, max: number): number | undefined {
    const [first] = languages;
    if (first === undefined) return undefined;
    if (first.key === 'format:uri' && max < Number.POSITIVE_INFINITY) {
      const head = this.#language(LONG_URI_HEAD, 'whole', this.#field);
      const { shortest, longest } = lengthsOf(head);
      const fits = min <= shortest && max > longest && languages.every((one) => one.key === first.key);
      if (fits) return this.#longUri(key, head, max - longest - 1);
    }
    const repeated = languages.length === 1 ? repeatedClass(first.dfa) : undefined;
    if (repeated === undefined) return undefined;
    return this.#ofLength(repeated.ranges, Math.max(min, repeated.min), Math.min(max, repeated.max));
  }

  /** The strings that facts leave. */
  languageOf(facts: Facts): CharDfa {
    const { budget } = this.#builder;
    const { min, max } = lengths(facts);
    const [first = ANY_STRING, ...others] = this.#languagesOf(facts).map(({ dfa }) => dfa);
    const dfa = others.reduce((left, right) => intersect(left, right, budget), first);
    if (dfa.edges.length === 0) return dfa;
    const { shortest, longest } = lengthsOf(dfa);
    return shortest >= min && longest <= max ? dfa : intersect(dfa, this.#lengths(min, max, longest), budget);
  }

  #languagesOf(facts: Facts): readonly Language[] {
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
    if (hasPattern(node.schema)) return undefined;
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

  /** Characters of `ranges`, counted. */
  #ofLength(ranges: RepeatedClass['ranges'], min: number, max: number): number {
    if (ranges === ANY_CODE_POINT && min === 0 && max === Number.POSITIVE_INFINITY) return this.any();
    return this.#quoted(`${min} to ${max} of ${ranges.join(' ')}`, (nfa, open, close) => {
      if (min > max) return;
      const rule = this.#characterOf(ranges);
      nfa.call(open, this.#builder.repetition('characters', { rule, min, max }), close);
    });
  }

  #characterOf(ranges: RepeatedClass['ranges']): number {
    const key = ranges.join(' ');
    let rule = this.#characters.get(key);
    if (rule === undefined) {
      rule = this.#builder.rule('character', (nfa) => {
        for (const [from, to] of ranges) writeJsonCharacter(nfa, nfa.start, from, to, nfa.end);
      });
      this.#characters.set(key, rule);
    }
    return rule;
  }

  /**
   * Addresses with a bound on their length, `max` characters at most behind the slash. A bound beside the whole format
   * would be spelled out, with all its states at each length: pydantic's `HttpUrl` has 2083.
   */
  #longUri(key: string, head: CharDfa, max: number): number {
    return this.#quoted(key, (nfa, open, close) => {
      const [host, slash] = [nfa.state(), nfa.state()];
      nfa.language(open, head, host, writeJsonCharacter);
      nfa.pass(host, close);
      nfa.text(host, '/', slash);
      const rule = this.#characterOf(LONG_URI_REST);
      nfa.call(slash, this.#builder.repetition('path', { rule, min: 0, max }), close);
    });
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

/** One pattern stands beside `format`, several below `allOf` (as zod writes them). */
function hasPattern(schema: SchemaNode['schema']): boolean {
  if (!isKeywords(schema)) return false;
  const { pattern, allOf } = schema;
  if (pattern !== undefined) return true;
  return Array.isArray(allOf) && allOf.some((one) => isKeywords(one) && one.pattern !== undefined);
}

function lengths(facts: Facts): { readonly min: number; readonly max: number } {
  return {
    min: Math.max(0, ...numbersOf(facts, 'minLength')),
    max: Math.min(Number.POSITIVE_INFINITY, ...numbersOf(facts, 'maxLength')),
  };
}
