/**
 * `oneOf` wants exactly one alternative to hold. Where no value can satisfy two of them it is the same as `anyOf`; that
 * has to be seen from the schemas: other types, other constants, or a required property that is constant in both.
 */
import type { Facts } from './facts.ts';
import type { TypeName } from './keyword-values.ts';
import { isKeywords, keywordError, type SchemaNode } from './schema-node.ts';
import type { SchemaReader } from './schema-reader.ts';
import { typesOf } from './types-of.ts';

type WaysOf = (nodes: readonly SchemaNode[]) => Facts[];

/** Every pair of alternatives is looked at. */
const MAX_ALTERNATIVES = 256;

/** What tells one way to hold from others. */
interface Marks {
  readonly types: ReadonlySet<TypeName>;
  /** The values that are left, written in one form; `undefined`: no such list. */
  readonly values: ReadonlySet<string> | undefined;
  /** The same for properties that have to be there. */
  readonly properties: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @throws InputError CONSTRAINT_UNSUPPORTED when two alternatives may hold at once; CONSTRAINT_TOO_LARGE */
export function checkDisjoint(reader: SchemaReader, node: SchemaNode, waysOf: WaysOf): void {
  const list = typeof node.schema === 'boolean' ? undefined : node.schema.oneOf;
  if (!Array.isArray(list)) return;
  if (list.length > MAX_ALTERNATIVES) {
    const remedy = `Give at most ${MAX_ALTERNATIVES}, or use anyOf.`;
    const problem = 'has too many alternatives';
    throw keywordError(reader.field, node, 'oneOf', 'CONSTRAINT_TOO_LARGE', problem, list.length, remedy);
  }
  const marks = list.map((_, i) =>
    waysOf([reader.below(node, 'oneOf', i)]).map((facts) => marksOf(facts, reader, waysOf)),
  );
  for (const [i, first] of marks.entries()) {
    for (const [j, second] of marks.entries()) {
      if (j <= i || first.every((a) => second.every((b) => disjoint(a, b)))) continue;
      const remedy = 'Use anyOf, or give each a required property with a const of its own.';
      const problem = `has alternatives that may hold at once, ${i} and ${j}`;
      throw keywordError(reader.field, node, 'oneOf', 'CONSTRAINT_UNSUPPORTED', problem, list[j], remedy);
    }
  }
}

function marksOf(facts: Facts, reader: SchemaReader, waysOf: WaysOf): Marks {
  const required = facts.flatMap(({ keywords }) =>
    Array.isArray(keywords.required) ? keywords.required.map(String) : [],
  );
  const properties = new Map<string, ReadonlySet<string>>();
  for (const name of new Set(required)) {
    const values = propertyValues(facts, name, reader, waysOf);
    if (values !== undefined) properties.set(name, values);
  }
  return { types: typesOf(facts), values: valuesOf(facts), properties };
}

function disjoint(a: Marks, b: Marks): boolean {
  const shared = [...a.types].filter((type) => b.types.has(type));
  const numbers = [a, b].every(({ types }) => types.has('number') || types.has('integer'));
  if (shared.length === 0 && !numbers) return true;
  if (a.values !== undefined && b.values !== undefined) return a.values.isDisjointFrom(b.values);
  if (numbers || shared.length > 1 || shared[0] !== 'object') return false;
  return [...a.properties].some(([name, values]) => b.properties.get(name)?.isDisjointFrom(values) ?? false);
}

function propertyValues(
  facts: Facts,
  name: string,
  reader: SchemaReader,
  waysOf: WaysOf,
): ReadonlySet<string> | undefined {
  for (const { node, keywords } of facts) {
    if (!isKeywords(keywords.properties) || !Object.hasOwn(keywords.properties, name)) continue;
    const values = waysOf([reader.below(node, 'properties', name)]).map(valuesOf);
    if (values.every((list) => list !== undefined)) return new Set(values.flatMap((list) => [...list]));
  }
  return undefined;
}

function valuesOf(facts: Facts): ReadonlySet<string> | undefined {
  for (const { keywords } of facts) {
    if (Object.hasOwn(keywords, 'const')) return new Set([oneForm(keywords.const)]);
    if (Array.isArray(keywords.enum)) return new Set(keywords.enum.map(oneForm));
  }
  return typesOf(facts).size === 1 && typesOf(facts).has('null') ? new Set(['null']) : undefined;
}

/** JSON with keys in order: equal values have equal texts. */
function oneForm(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneForm).join()}]`;
  if (!isKeywords(value)) return JSON.stringify(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${oneForm(value[key])}`);
  return `{${entries.join()}}`;
}
