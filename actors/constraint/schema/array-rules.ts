/** Arrays: items in their places, and as many as are allowed. */
import { writeSeparator, writeValue } from '../grammar/json-text.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { type Facts, numbersOf } from './facts.ts';
import type { SchemaCompiler } from './schema-compiler.ts';
import { keywordError, type SchemaNode } from './schema-node.ts';
import { type UniqueItems, writeUniqueItems } from './unique-items.ts';

export function buildArray(compiler: SchemaCompiler, nfa: RuleNfa, facts: Facts): void {
  const min = Math.max(0, ...numbersOf(facts, 'minItems'));
  const max = Math.min(Number.POSITIVE_INFINITY, ...numbersOf(facts, 'maxItems'));
  if (min > max) return;
  const prefix = Math.max(0, ...facts.map(({ keywords }) => prefixLength(keywords.prefixItems)));
  const open = nfa.state();
  const close = nfa.state();
  nfa.text(nfa.start, '[', open);
  nfa.text(close, ']', nfa.end);
  if (max > 1 && facts.some(({ keywords }) => keywords.uniqueItems === true)) {
    writeUniqueItems(nfa, open, close, uniqueItems(compiler, facts, { min, max, prefix }));
    return;
  }
  let at = open;
  for (let index = 0; index < Math.min(prefix, max); index++) {
    if (index >= min) nfa.pass(at, close);
    const item = nfa.state();
    if (index === 0) nfa.pass(at, item);
    else writeSeparator(nfa, at, ',', item);
    at = nfa.state();
    nfa.call(item, compiler.rule(itemNodes(compiler, facts, index)), at);
  }
  if (prefix >= max) {
    nfa.pass(at, close);
    return;
  }
  const rest = compiler.rule(itemNodes(compiler, facts, prefix));
  if (prefix >= min) nfa.pass(at, close);
  if (prefix === 0) {
    const first = at;
    at = nfa.state();
    nfa.call(first, rest, at);
  }
  const done = Math.max(1, prefix);
  const further = { min: Math.max(0, min - done), max: max - done };
  const next = compiler.builder.rule('item', (body) => {
    const item = body.state();
    writeSeparator(body, body.start, ',', item);
    body.call(item, rest, body.end);
  });
  nfa.call(at, compiler.builder.repetition('items', { rule: next, ...further }), close);
}

function uniqueItems(
  compiler: SchemaCompiler,
  facts: Facts,
  { min, max, prefix }: { readonly min: number; readonly max: number; readonly prefix: number },
): UniqueItems {
  const lists = new Map<number, readonly unknown[]>();
  const valuesAt = (index: number): readonly unknown[] => {
    const place = Math.min(index, prefix);
    const known = lists.get(place) ?? compiler.finiteValues(itemNodes(compiler, facts, place));
    if (known === undefined) throw notListed(compiler, facts);
    lists.set(place, known);
    return known;
  };
  const ruleOf = (value: unknown) =>
    compiler.builder.rule('unique item', (nfa) => writeValue(nfa, nfa.start, value, nfa.end));
  return { min, max, valuesAt, ruleOf };
}

function notListed({ reader }: SchemaCompiler, facts: Facts) {
  const node = facts.find(({ keywords }) => keywords.uniqueItems === true)?.node ?? reader.root;
  const problem = 'can be honoured for items of enum, const, boolean or null only';
  const remedy = 'List the values of items with enum, or leave it out and check the answer.';
  return keywordError(reader.field, node, 'uniqueItems', 'CONSTRAINT_UNSUPPORTED', problem, true, remedy);
}

/** What all facts want of the item at `index`. */
function itemNodes({ reader }: SchemaCompiler, facts: Facts, index: number): SchemaNode[] {
  return facts.flatMap(({ node, keywords }) => {
    if (index < prefixLength(keywords.prefixItems)) return [reader.below(node, 'prefixItems', index)];
    return keywords.items === undefined ? [] : [reader.below(node, 'items')];
  });
}

function prefixLength(prefixItems: unknown): number {
  return Array.isArray(prefixItems) ? prefixItems.length : 0;
}
