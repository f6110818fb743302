/**
 * Objects without members of other names. Libraries ignore what they do not know, so their JSON Schema of what may come in
 * allows anything beside; a model would make use of that.
 */
import type { JsonSchema } from '../../actors/constraint/constraint.ts';

/** Their values are data. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'required']);
/** Their members are schemas by names of the caller's. */
const NAMED_SCHEMAS = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

export function closedObjects(schema: JsonSchema): JsonSchema {
  return closed(schema) as JsonSchema;
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([keyword, inner]: [string, unknown]) => [
    keyword,
    closedMember(keyword, inner),
  ]);
  const schema: Record<string, unknown> = Object.fromEntries(members);
  const open = 'additionalProperties' in schema || 'patternProperties' in schema;
  if ('properties' in schema && !open) schema.additionalProperties = false;
  return schema;
}

function closedMember(keyword: string, value: unknown): unknown {
  // Each part of an intersection names its own members: none of them could be closed.
  if (DATA.has(keyword) || keyword === 'allOf') return value;
  if (!NAMED_SCHEMAS.has(keyword) || typeof value !== 'object' || value === null) return closed(value);
  const schemas = Object.entries(value).map(([name, schema]: [string, unknown]) => [name, closed(schema)]);
  return Object.fromEntries(schemas);
}
