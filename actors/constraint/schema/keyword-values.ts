/** What the value of each keyword has to be. */
import { isKeywords, keywordError, type SchemaNode } from './schema-node.ts';

export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type TypeName = (typeof TYPES)[number];

interface Shape {
  readonly holds: (value: unknown) => boolean;
  readonly remedy: string;
}

const isType = (value: unknown): value is TypeName => TYPES.some((type) => type === value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const STRING: Shape = { holds: (value) => typeof value === 'string', remedy: 'Give a string.' };
const COUNT: Shape = {
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  remedy: 'Give an integer from 0 up.',
};
const NUMBER: Shape = { holds: isNumber, remedy: 'Give a number.' };
const SCHEMAS: Shape = {
  holds: (value) => Array.isArray(value) && value.length > 0,
  remedy: 'Give a list of at least one schema.',
};
const NAMED_SCHEMAS: Shape = { holds: isKeywords, remedy: 'Give an object of schemas.' };

const SHAPES: Readonly<Record<string, Shape>> = {
  type: {
    holds: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
    remedy: `Give one or a list of ${TYPES.join(', ')}.`,
  },
  enum: {
    holds: (value) => Array.isArray(value) && value.length > 0,
    remedy: 'Give a list of at least one value.',
  },
  required: {
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    remedy: 'Give a list of names.',
  },
  multipleOf: { holds: (value) => isNumber(value) && value > 0, remedy: 'Give a number above 0.' },
  anyOf: SCHEMAS,
  oneOf: SCHEMAS,
  allOf: SCHEMAS,
  prefixItems: SCHEMAS,
  properties: NAMED_SCHEMAS,
  patternProperties: NAMED_SCHEMAS,
  $defs: NAMED_SCHEMAS,
  definitions: NAMED_SCHEMAS,
  $ref: STRING,
  $anchor: STRING,
  $id: STRING,
  pattern: STRING,
  format: STRING,
  minLength: COUNT,
  maxLength: COUNT,
  minItems: COUNT,
  maxItems: COUNT,
  uniqueItems: { holds: (value) => typeof value === 'boolean', remedy: 'Give true or false.' },
  minProperties: COUNT,
  maxProperties: COUNT,
  minimum: NUMBER,
  maximum: NUMBER,
  exclusiveMinimum: NUMBER,
  exclusiveMaximum: NUMBER,
};

/** @throws InputError CONSTRAINT_INVALID */
export function checkKeyword(field: string, node: SchemaNode, keyword: string, value: unknown): void {
  const shape = Object.hasOwn(SHAPES, keyword) ? SHAPES[keyword] : undefined;
  if (shape === undefined || shape.holds(value)) return;
  throw keywordError(
    field,
    node,
    keyword,
    'CONSTRAINT_INVALID',
    'has a value of the wrong kind',
    value,
    shape.remedy,
  );
}
