/** A schema inside another one: its references, which begin at the root of their document, are led to where it now lies. */
import type { JsonSchema } from '../constraint/constraint.ts';

/** Their values are data, and a `$ref` in them is none. */
const DATA = new Set(['const', 'enum', 'default', 'examples']);

/** Their members are schemas by names of the caller's, one of which may be `const`. */
const NAMED_SCHEMAS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

/** @param path JSON pointer to its new place: `#/items` */
export function movedSchema(schema: JsonSchema, path: string): JsonSchema {
  return moved(schema, path) as JsonSchema;
}

function moved(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => moved(one, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([keyword, inner]: [string, unknown]) => [
      keyword,
      movedMember(keyword, inner, path),
    ]),
  );
}

function movedMember(keyword: string, value: unknown, path: string): unknown {
  if (DATA.has(keyword)) return value;
  if (keyword === '$ref' && typeof value === 'string' && /^#(\/|$)/.test(value)) return path + value.slice(1);
  if (!NAMED_SCHEMAS.has(keyword) || typeof value !== 'object' || value === null) return moved(value, path);
  const schemas = Object.entries(value).map(([name, schema]: [string, unknown]) => [
    name,
    moved(schema, path),
  ]);
  return Object.fromEntries(schemas);
}
