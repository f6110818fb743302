/**
 * Which keywords are honoured, which say nothing of what is valid, and which are refused. A keyword that is in neither
 * list is refused too: one that is misspelt would be no constraint at all.
 */

/** Honoured exactly. docs/structured-output.md says in what form values are written. */
export const HONOURED: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  '$ref',
  '$defs',
  'definitions',
  '$anchor',
  '$id',
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'required',
  'minProperties',
  'maxProperties',
  'prefixItems',
  'items',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
]);

/** Say nothing of what is valid. Any keyword that begins with `x-` is one of these. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  '$vocabulary',
  'title',
  'description',
  'default',
  'examples',
  'example',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'discriminator',
]);

/** What to do instead of a keyword that is refused. */
export const INSTEAD: Readonly<Record<string, string>> = {
  not: 'Say what is allowed: enum, anyOf.',
  if: 'Use anyOf with one schema for each case.',
  contains: 'Use prefixItems or items.',
  minContains: 'Use prefixItems or items.',
  maxContains: 'Use prefixItems or items.',
  dependentRequired: 'Use anyOf with one schema for each case.',
  dependentSchemas: 'Use anyOf with one schema for each case.',
  dependencies: 'Use anyOf with one schema for each case.',
  unevaluatedProperties: 'Use additionalProperties.',
  unevaluatedItems: 'Use items.',
  additionalItems: 'Use prefixItems, and items for the rest.',
  nullable: "Write type: ['string', 'null'].",
  $dynamicRef: 'Use $ref.',
  $recursiveRef: 'Use $ref.',
  id: 'Use $id.',
};
