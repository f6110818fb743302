/**
 * Whether facts allow a value: for `enum` and `const`, whose values other keywords may exclude, and for alternatives of
 * `oneOf` that are values.
 */
import { type CharDfa, matches } from '../automata/char-dfa.ts';
import type { FactFinder, Facts } from './facts.ts';
import { isKeywords, type Keywords, type SchemaNode } from './schema-node.ts';
import type { SchemaReader } from './schema-reader.ts';
import { typesOf } from './types-of.ts';

/** What deciding needs of the compiler. */
export interface Deciding {
  readonly reader: SchemaReader;
  readonly finder: FactFinder;
  /** The strings of `pattern` or `format` of a schema. */
  readonly stringLanguage: (node: SchemaNode, keyword: 'pattern' | 'format') => CharDfa | undefined;
  /** The keys that a pattern of `patternProperties` finds. */
  readonly keyLanguage: (node: SchemaNode, pattern: string) => CharDfa;
}

/** Whether a value keeps to all of `facts`. */
export function accepts(facts: Facts, value: unknown, deciding: Deciding): boolean {
  if (!typesOf(facts).has(typeOf(value)) && !(isWhole(value) && typesOf(facts).has('integer'))) return false;
  return facts.every(({ node, keywords }) => {
    if (keywords.const !== undefined && !sameJson(keywords.const, value)) return false;
    if (Array.isArray(keywords.enum) && !keywords.enum.some((one) => sameJson(one, value))) return false;
    if (typeof value === 'number') return acceptsNumber(keywords, value);
    if (typeof value === 'string') return acceptsString(node, keywords, value, deciding);
    if (Array.isArray(value)) return acceptsArray(node, keywords, value, deciding);
    return isKeywords(value) ? acceptsObject(node, keywords, value, deciding) : true;
  });
}

/** Equal as JSON: the order of keys does not count, 1 and 1.0 are one number. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one, i) => sameJson(one, b[i]));
  if (isKeywords(a)) {
    if (!isKeywords(b)) return false;
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
    );
  }
  return a === b;
}

/** The first of those that are equal. */
export function distinct(values: readonly unknown[]): unknown[] {
  return values.filter((value, i) => values.findIndex((one) => sameJson(one, value)) === i);
}

function typeOf(value: unknown) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' ? 'string' : 'object';
}

function isWhole(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value);
}

function within(value: number, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Keywords): boolean {
  return (
    (typeof minimum !== 'number' || value >= minimum) &&
    (typeof maximum !== 'number' || value <= maximum) &&
    (typeof exclusiveMinimum !== 'number' || value > exclusiveMinimum) &&
    (typeof exclusiveMaximum !== 'number' || value < exclusiveMaximum)
  );
}

function acceptsNumber(keywords: Keywords, value: number): boolean {
  const { multipleOf } = keywords;
  return within(value, keywords) && (typeof multipleOf !== 'number' || value % multipleOf === 0);
}

function acceptsString(
  node: SchemaNode,
  keywords: Keywords,
  value: string,
  { stringLanguage }: Deciding,
): boolean {
  const length = [...value].length;
  const { minLength, maxLength } = keywords;
  if (typeof minLength === 'number' && length < minLength) return false;
  if (typeof maxLength === 'number' && length > maxLength) return false;
  return (['pattern', 'format'] as const).every((keyword) => {
    const language = keywords[keyword] === undefined ? undefined : stringLanguage(node, keyword);
    return language === undefined || matches(language, value);
  });
}

function acceptsArray(
  node: SchemaNode,
  keywords: Keywords,
  value: readonly unknown[],
  deciding: Deciding,
): boolean {
  const { minItems, maxItems, uniqueItems, prefixItems, items } = keywords;
  if (typeof minItems === 'number' && value.length < minItems) return false;
  if (typeof maxItems === 'number' && value.length > maxItems) return false;
  if (uniqueItems === true && distinct(value).length < value.length) return false;
  const prefix = Array.isArray(prefixItems) ? prefixItems.length : 0;
  return value.every((item, i) => {
    if (i < prefix) return below(node, item, deciding, 'prefixItems', i);
    return items === undefined || below(node, item, deciding, 'items');
  });
}

function acceptsObject(node: SchemaNode, keywords: Keywords, value: Keywords, deciding: Deciding): boolean {
  const keys = Object.keys(value);
  const { minProperties, maxProperties, required, properties, patternProperties } = keywords;
  if (typeof minProperties === 'number' && keys.length < minProperties) return false;
  if (typeof maxProperties === 'number' && keys.length > maxProperties) return false;
  if (Array.isArray(required) && !required.every((name) => Object.hasOwn(value, String(name)))) return false;
  return keys.every((key) => {
    if (keywords.propertyNames !== undefined && !below(node, key, deciding, 'propertyNames')) return false;
    const item = value[key];
    const named = isKeywords(properties) && Object.hasOwn(properties, key);
    if (named && !below(node, item, deciding, 'properties', key)) return false;
    const patterns = isKeywords(patternProperties) ? Object.keys(patternProperties) : [];
    const found = patterns.filter((pattern) => matches(deciding.keyLanguage(node, pattern), key));
    if (!found.every((pattern) => below(node, item, deciding, 'patternProperties', pattern))) return false;
    if (named || found.length > 0 || keywords.additionalProperties === undefined) return true;
    return below(node, item, deciding, 'additionalProperties');
  });
}

function below(node: SchemaNode, value: unknown, deciding: Deciding, ...path: (string | number)[]): boolean {
  const inside = deciding.reader.below(node, ...path);
  return deciding.finder.waysOf([inside]).some((facts) => accepts(facts, value, deciding));
}
