/** Numbers of JSON: what bounds and `multipleOf` leave, as rules of a grammar. */
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import { writeCharacter } from '../grammar/json-text.ts';
import type { Facts } from './facts.ts';
import { INTEGER_FORMATS } from './formats.ts';
import { inclusive, type NumberBounds, NumberLanguages } from './number-language.ts';
import { keywordError } from './schema-node.ts';

export class NumberRules {
  readonly #builder: GrammarBuilder;
  readonly #field: string;
  readonly #languages: NumberLanguages;
  readonly #rules = new Map<string, number>();

  constructor(builder: GrammarBuilder, field: string) {
    this.#builder = builder;
    this.#field = field;
    this.#languages = new NumberLanguages(builder.budget, field);
  }

  of(facts: Facts, integer: boolean): number {
    const bounds = this.#bounds(facts, integer);
    const key = JSON.stringify([String(bounds.least), String(bounds.most), bounds.integer, bounds.multiple]);
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.#builder.rule('number', (nfa) => {
      nfa.language(nfa.start, this.#languages.of(bounds), nfa.end, writeCharacter);
    });
    this.#rules.set(key, rule);
    return rule;
  }

  #bounds(facts: Facts, integer: boolean): NumberBounds {
    const least = [Number.NEGATIVE_INFINITY];
    const most = [Number.POSITIVE_INFINITY];
    const multiples = new Set<number>();
    for (const { node, keywords } of facts) {
      const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf, format } = keywords;
      if (typeof minimum === 'number') least.push(minimum);
      if (typeof exclusiveMinimum === 'number') least.push(inclusive(exclusiveMinimum, true, 'least'));
      if (typeof maximum === 'number') most.push(maximum);
      if (typeof exclusiveMaximum === 'number') most.push(inclusive(exclusiveMaximum, true, 'most'));
      const range =
        typeof format === 'string' && Object.hasOwn(INTEGER_FORMATS, format)
          ? INTEGER_FORMATS[format]
          : undefined;
      if (range !== undefined) {
        least.push(range[0]);
        most.push(range[1]);
      }
      if (typeof multipleOf !== 'number' || multipleOf === 1) continue;
      if (!Number.isSafeInteger(multipleOf)) {
        const remedy = 'Use an integer, or leave it out and check the answer.';
        const problem = 'can be honoured for integers only';
        throw keywordError(
          this.#field,
          node,
          'multipleOf',
          'CONSTRAINT_UNSUPPORTED',
          problem,
          multipleOf,
          remedy,
        );
      }
      multiples.add(multipleOf);
    }
    const whole = integer || multiples.size > 0 || facts.some(({ keywords }) => keywords.multipleOf === 1);
    return {
      least: Math.max(...least),
      most: Math.min(...most),
      integer: whole,
      multiple: [...multiples].reduce(leastCommonMultiple, 1),
    };
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [left, right] = [a, b];
  while (right !== 0) [left, right] = [right, left % right];
  return (a / left) * b;
}
