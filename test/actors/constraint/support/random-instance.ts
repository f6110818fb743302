/**
 * Random values for schemas of `random-schema.ts`, made from the schema alone: nothing here knows of grammars. A value need
 * not be valid (patterns and combinations are guessed); who uses them asks a validator first.
 */
import { pick, type Random, type Schema } from './random-schema.ts';

const STRINGS = [
  '',
  'a',
  'ab',
  'xab',
  'abc',
  '12',
  '1234',
  'xyz',
  'é',
  'Ä b',
  '"\\\n\t\u0001',
  '😀😀',
  'bc',
  'ca',
  'x_1',
  'yzx',
];
const FORMATTED: Readonly<Record<string, readonly string[]>> = {
  date: ['2024-02-29', '1900-02-28', '0001-12-31'],
  time: ['23:59:59Z', '12:00:00.5+01:00'],
  'date-time': ['1999-12-31T00:00:00Z', '2000-02-29T23:59:59.999-12:30'],
  duration: ['P1Y2M3DT4H5M6S', 'PT1S', 'P2W', 'P1M'],
  email: ['a.b+c@example.com', 'x@y.co.uk'],
  ipv4: ['127.0.0.1', '255.0.10.99'],
  ipv6: ['::1', 'fe80::1:2', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
  uuid: ['2eb8aa08-aa98-11ea-b4aa-73b441d16380'],
  uri: ['https://user@example.com:80/a/b?c=d#e', 'urn:a:b', 'http://[::1]/'],
  hostname: ['example.com', 'a-b.c', 'localhost'],
  'json-pointer': ['', '/a/~1/0'],
};
const NUMBERS = [0, 1, -1, 0.5, 0.1, 0.15, 5, 5.0000001, 99.95, 100, -273.15, -272.65, 1e-7, 2e-7, 42, 7];
const KEYS = ['a', 'b', 'c', 'x_1', 'x_2', 'z9', 'other', 'k"e\\y'];

export function randomInstance(schema: unknown, root: Schema, random: Random, depth = 6): unknown {
  if (typeof schema !== 'object' || schema === null || depth < 0) return pick(random, [null, 1, 'a', [], {}]);
  const keywords: Schema = { ...schema };
  const inside = (part: unknown) => randomInstance(part, root, random, depth - 1);
  if ('const' in keywords) return keywords.const;
  for (const keyword of ['enum', 'anyOf', 'oneOf'] as const) {
    const list: unknown = keywords[keyword];
    if (Array.isArray(list))
      return keyword === 'enum' ? pick<unknown>(random, list) : inside(pick<unknown>(random, list));
  }
  if (Array.isArray(keywords.allOf)) return merged(keywords.allOf.map(inside), keywords.allOf.flatMap(names));
  if (keywords.$ref !== undefined) return inside(at(at(root, '$defs'), 'node'));
  const type: unknown = Array.isArray(keywords.type) ? pick<unknown>(random, keywords.type) : keywords.type;
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return random() < 0.5;
    case 'integer':
      return Math.floor(random() * 1600) - 800;
    case 'number':
      return pick(random, NUMBERS);
    case 'string':
      return pick(random, FORMATTED[String(keywords.format)] ?? STRINGS);
    case 'array': {
      const prefix: readonly unknown[] = Array.isArray(keywords.prefixItems) ? keywords.prefixItems : [];
      const length = Math.floor(random() * 6);
      return Array.from({ length }, (_, i) =>
        inside(i < prefix.length ? prefix[i] : (keywords.items ?? true)),
      );
    }
    case 'object':
      return randomObject(keywords, inside, random);
    default:
      return pick(random, [null, 1, 'a', [1], { a: 1 }]);
  }
}

/** Named properties in the order of the schema, others behind. */
function randomObject(keywords: Schema, inside: (schema: unknown) => unknown, random: Random): unknown {
  const properties: Schema = { ...(typeof keywords.properties === 'object' ? keywords.properties : {}) };
  const required: readonly unknown[] = Array.isArray(keywords.required) ? keywords.required : [];
  const entries: [string, unknown][] = [];
  for (const [name, schema] of Object.entries(properties)) {
    if (required.includes(name) || random() < 0.5) entries.push([name, inside(schema)]);
  }
  const patterns: Schema = {
    ...(typeof keywords.patternProperties === 'object' ? keywords.patternProperties : {}),
  };
  for (const key of KEYS) {
    if (random() > 0.2 || Object.hasOwn(properties, key)) continue;
    const found = Object.keys(patterns).find((pattern) => new RegExp(pattern, 'u').test(key));
    entries.push([
      key,
      inside(found === undefined ? (keywords.additionalProperties ?? true) : patterns[found]),
    ]);
  }
  return Object.fromEntries(entries);
}

/** One object of all, named properties first. */
function merged(values: readonly unknown[], named: readonly string[]): unknown {
  if (values.some((value) => typeof value !== 'object' || value === null || Array.isArray(value)))
    return values[0];
  const all: Schema = Object.assign({}, ...values);
  const keys = [...named.filter((name) => Object.hasOwn(all, name)), ...Object.keys(all)];
  return Object.fromEntries(keys.map((key) => [key, all[key]]));
}

function names(schema: unknown): string[] {
  const properties = at(schema, 'properties');
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function at(schema: unknown, key: string): unknown {
  return typeof schema === 'object' && schema !== null
    ? Object.entries(schema).find(([name]) => name === key)?.[1]
    : undefined;
}
