/**
 * `oneOf` wants exactly one alternative to hold. Where no value can satisfy two of them it is the same as `anyOf`; that
 * has to be seen from the schemas: other types, other constants, or a required property that is constant in both.
 */
import { sameJson } from './accepts.ts';
import type { Facts } from './facts.ts';
import { keywordError, type SchemaNode } from './schema-node.ts';
import type { SchemaReader } from './schema-reader.ts';
import { typesOf } from './types-of.ts';

type WaysOf = (nodes: readonly SchemaNode[]) => Facts[];

/** @throws InputError CONSTRAINT_UNSUPPORTED when two alternatives may hold at once */
export function checkDisjoint(reader: SchemaReader, node: SchemaNode, waysOf: WaysOf): void {
  const list = typeof node.schema === 'boolean' ? undefined : node.schema.oneOf;
  if (!Array.isArray(list)) return;
  const ways = list.map((_, i) => waysOf([reader.below(node, 'oneOf', i)]));
  for (const [i, first] of ways.entries()) {
    for (const [j, second] of ways.entries()) {
      if (j <= i || first.every((a) => second.every((b) => disjoint(a, b, reader, waysOf)))) continue;
      throw keywordError(
        reader.field,
        node,
        'oneOf',
        'CONSTRAINT_UNSUPPORTED',
        `has alternatives that may hold at once, ${i} and ${j}`,
        list[j],
        'Use anyOf, or give each a required property with a const of its own.',
      );
    }
  }
}

function disjoint(a: Facts, b: Facts, reader: SchemaReader, waysOf: WaysOf): boolean {
  const typesA = typesOf(a);
  const typesB = typesOf(b);
  const shared = [...typesA].filter(
    (type) =>
      typesB.has(type) ||
      (type === 'integer' && typesB.has('number')) ||
      (type === 'number' && typesB.has('integer')),
  );
  if (shared.length === 0) return true;
  const valuesA = constants(a);
  const valuesB = constants(b);
  if (valuesA !== undefined && valuesB !== undefined) return !overlap(valuesA, valuesB);
  if (shared.length > 1 || shared[0] !== 'object') return false;
  return tagged(a, b, reader, waysOf);
}

/** A property that both require, with constants that differ. */
function tagged(a: Facts, b: Facts, reader: SchemaReader, waysOf: WaysOf): boolean {
  return [...required(a)].some((name) => {
    if (!required(b).has(name)) return false;
    const valuesA = propertyConstants(a, name, reader, waysOf);
    const valuesB = propertyConstants(b, name, reader, waysOf);
    return valuesA !== undefined && valuesB !== undefined && !overlap(valuesA, valuesB);
  });
}

function required(facts: Facts): Set<string> {
  return new Set(
    facts.flatMap(({ keywords }) => (Array.isArray(keywords.required) ? keywords.required.map(String) : [])),
  );
}

function propertyConstants(
  facts: Facts,
  name: string,
  reader: SchemaReader,
  waysOf: WaysOf,
): unknown[] | undefined {
  for (const { node, keywords } of facts) {
    const { properties } = keywords;
    if (typeof properties !== 'object' || properties === null || !Object.hasOwn(properties, name)) continue;
    const values = waysOf([reader.below(node, 'properties', name)]).map(constants);
    if (values.every((list) => list !== undefined)) return values.flat();
  }
  return undefined;
}

/** The values that facts leave at most; `undefined`: no such list. */
function constants(facts: Facts): readonly unknown[] | undefined {
  for (const { keywords } of facts) {
    if (keywords.const !== undefined) return [keywords.const];
    if (Array.isArray(keywords.enum)) return keywords.enum;
  }
  return typesOf(facts).size === 1 && typesOf(facts).has('null') ? [null] : undefined;
}

function overlap(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.some((one) => b.some((other) => sameJson(one, other)));
}
