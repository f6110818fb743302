/** Texts against compiled grammars, byte by byte and without a tokenizer. */
import type { CompiledGrammar } from '../../../../actors/constraint/grammar/compiled-grammar.ts';
import type { Configuration } from '../../../../actors/constraint/matcher/stack-node.ts';
import { Stepper } from '../../../../actors/constraint/matcher/stepper.ts';

const steppers = new WeakMap<CompiledGrammar, Stepper>();

/** Whether `text` is an answer. */
export function isAnswer(grammar: CompiledGrammar, text: string): boolean {
  const stepper = steppers.get(grammar) ?? new Stepper(grammar);
  steppers.set(grammar, stepper);
  let at: Configuration | null = stepper.begin(grammar.root);
  for (const byte of new TextEncoder().encode(text)) {
    at = stepper.step(at, byte);
    if (at === null) return false;
  }
  return at.ends;
}

/** All texts of a value that differ in the order of keys. */
export function* orders(value: unknown): Generator<string> {
  if (Array.isArray(value)) {
    for (const items of each(value.map((item: unknown) => () => orders(item)))) yield `[${items.join(',')}]`;
  } else if (typeof value === 'object' && value !== null) {
    for (const entries of permutations(Object.entries(value))) {
      const written = entries.map(
        ([key, item]) =>
          () =>
            prefixed(`${JSON.stringify(key)}:`, orders(item)),
      );
      for (const properties of each(written)) yield `{${properties.join(',')}}`;
    }
  } else yield JSON.stringify(value);
}

function* prefixed(prefix: string, texts: Iterable<string>): Generator<string> {
  for (const text of texts) yield prefix + text;
}

function* each(choices: readonly (() => Iterable<string>)[]): Generator<string[]> {
  const [first, ...rest] = choices;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const head of first()) for (const tail of each(rest)) yield [head, ...tail];
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.filter((_, j) => j !== i))) yield [item, ...rest];
  }
}
