/** Random schemas of the keywords that are honoured, from a seed. */

export type Random = () => number;

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

export type Schema = Readonly<Record<string, unknown>>;

const NAMES = ['a', 'b', 'name', 'é', 'two words', '"quoted"', 'x_1', 'line\nbreak'];
const PATTERNS = [
  '^[a-z]+$',
  '^\\d{2,4}$',
  'ab',
  '^(?:x|yz)*$',
  '^[^"\\\\]{0,3}$',
  '^\\p{Lu}',
  '^(?!a)[a-c]{2}$',
];
const KEY_PATTERNS = ['^x_', '^[a-c]$', '\\d$'];
const FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'ipv4',
  'ipv6',
  'uuid',
  'uri',
  'hostname',
  'json-pointer',
];

/** A schema; objects and arrays in it `depth` deep at most. */
export function randomSchema(random: Random, depth = 3): Schema {
  const schema = randomPart(random, depth);
  const used = JSON.stringify(schema).includes('#/$defs/');
  return used ? { ...schema, $defs: { node: recursive(random) } } : schema;
}

/** A list whose end is always near. */
function recursive(random: Random): Schema {
  return {
    type: 'object',
    properties: {
      value: randomPart(random, 0),
      next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] },
    },
    required: ['value', 'next'],
    additionalProperties: false,
  };
}

function randomPart(random: Random, depth: number): Schema {
  const kinds: ((random: Random, depth: number) => Schema)[] = [string, number, integer, constant, simple];
  if (depth > 0) kinds.push(object, object, array, array, anyOf, allOf, oneOf, reference);
  return pick(random, kinds)(random, depth);
}

const chance = (random: Random, odds: number, part: () => Schema): Schema => (random() < odds ? part() : {});
const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));

function string(random: Random): Schema {
  const min = upTo(random, 3);
  return pick<() => Schema>(random, [
    () => ({ type: 'string' }),
    () => ({ type: 'string', minLength: min, maxLength: min + upTo(random, 20) }),
    () => ({ type: 'string', pattern: pick(random, PATTERNS) }),
    () => ({ type: 'string', pattern: '^[a-z]+$', minLength: min, maxLength: min + 1 + upTo(random, 5) }),
    () => ({ type: 'string', format: pick(random, FORMATS) }),
  ])();
}

function number(random: Random): Schema {
  const low = pick(random, [0, -1, 0.1, -273.15, 1e-7, 5, -1e21, 99.95]);
  return {
    type: 'number',
    ...chance(random, 0.6, () => ({ [pick(random, ['minimum', 'exclusiveMinimum'])]: low })),
    ...chance(random, 0.6, () => ({
      [pick(random, ['maximum', 'exclusiveMaximum'])]: low + pick(random, [0.5, 1, 10, 1e22]),
    })),
  };
}

function integer(random: Random): Schema {
  const low = Math.floor(random() * 2000) - 1000;
  return {
    type: 'integer',
    ...chance(random, 0.6, () => ({ [pick(random, ['minimum', 'exclusiveMinimum'])]: low })),
    ...chance(random, 0.6, () => ({
      [pick(random, ['maximum', 'exclusiveMaximum'])]: low + 30 + upTo(random, 500),
    })),
    ...chance(random, 0.3, () => ({ multipleOf: pick(random, [2, 3, 7, 10]) })),
  };
}

function constant(random: Random): Schema {
  const values = [null, true, 0, -1.5, 'x', 'é"\\', [1, 'a'], { k: [] }, 1e21];
  if (random() < 0.5) return { const: pick(random, values) };
  return { enum: [...new Set([pick(random, values), pick(random, values), pick(random, values)])] };
}

function simple(random: Random): Schema {
  return { type: pick<unknown>(random, ['boolean', 'null', ['integer', 'null'], ['string', 'boolean']]) };
}

function object(random: Random, depth: number): Schema {
  const names = NAMES.filter(() => random() < 0.4);
  const required = names.filter(() => random() < 0.5);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, randomPart(random, depth - 1)])),
    required,
    ...chance(random, 0.7, () => ({
      additionalProperties: random() < 0.7 ? false : randomPart(random, depth - 1),
    })),
    ...chance(random, 0.2, () => ({
      patternProperties: { [pick(random, KEY_PATTERNS)]: randomPart(random, depth - 1) },
    })),
    ...chance(random, 0.2, () => ({ maxProperties: required.length + upTo(random, 3) })),
    ...chance(random, 0.2, () => ({ minProperties: Math.min(required.length + 1, names.length) })),
    ...chance(random, 0.1, () => ({ propertyNames: { maxLength: 12 } })),
  };
}

function array(random: Random, depth: number): Schema {
  const min = upTo(random, 3);
  if (random() < 0.15) return distinctArray(random, min);
  return {
    type: 'array',
    items: randomPart(random, depth - 1),
    ...chance(random, 0.3, () => ({
      prefixItems: [randomPart(random, depth - 1), randomPart(random, depth - 1)],
    })),
    ...chance(random, 0.5, () => ({ minItems: min })),
    ...chance(random, 0.5, () => ({ maxItems: min + upTo(random, 3) })),
  };
}

function distinctArray(random: Random, minItems: number): Schema {
  return {
    type: 'array',
    uniqueItems: true,
    items: pick(random, [{ type: 'boolean' }, { type: ['null', 'boolean'] }, constant(random)]),
    ...chance(random, 0.3, () => ({ prefixItems: [constant(random), { type: 'boolean' }] })),
    ...chance(random, 0.3, () => ({ minItems })),
    ...chance(random, 0.3, () => ({ maxItems: minItems + upTo(random, 2) })),
  };
}

function anyOf(random: Random, depth: number): Schema {
  return { anyOf: [randomPart(random, depth - 1), randomPart(random, depth - 1)] };
}

function allOf(random: Random, depth: number): Schema {
  return pick<() => Schema>(random, [
    () => ({ allOf: [object(random, depth - 1), { type: 'object', properties: { extra: simple(random) } }] }),
    () => ({ allOf: [integer(random), { minimum: -500 }] }),
    () => ({ allOf: [{ type: 'string', maxLength: 12 }, string(random)] }),
    () => ({ allOf: [randomPart(random, depth - 1)] }),
  ])();
}

function oneOf(random: Random, depth: number): Schema {
  const variant = (kind: string): Schema => ({
    type: 'object',
    properties: { kind: { const: kind }, of: randomPart(random, depth - 1) },
    required: ['kind'],
    additionalProperties: false,
  });
  return { oneOf: [variant('one'), variant('two'), { type: 'boolean' }] };
}

function reference(): Schema {
  return { $ref: '#/$defs/node' };
}
