/**
 * Schemas as callers have them: of a library that implements Standard Schema and Standard JSON Schema (zod from 4.2, valibot
 * and arktype through their packages for it), or plain JSON Schema. What such a library exports is asked for by its
 * `~standard` member alone; none of them is needed here.
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonSchema } from '../../actors/constraint/constraint.ts';
import { InputError } from '../../actors/errors.ts';
import { shownValue } from '../../actors/shown-value.ts';
import { messageOf } from '../../runtime/util/realms.ts';
import { closedObjects } from './closed-objects.ts';

/** A schema of a library: it checks values, knows their type and gives its JSON Schema. */
export interface TypedSchema<Output = unknown> {
  /** What Standard Schema and Standard JSON Schema say that a schema has. */
  readonly '~standard': StandardSchemaV1.Props<unknown, Output> & StandardJSONSchemaV1.Props<unknown, Output>;
}

/** What an answer or arguments may be held to. */
export type AnySchema = TypedSchema | JsonSchema;

/** What a schema makes of an answer; `unknown` of plain JSON Schema. */
export type SchemaOutput<Schema> = Schema extends TypedSchema<infer Output> ? Output : unknown;

/**
 * The JSON Schema of what the model writes. Objects of typed schemas have no members but those that are named, unless the
 * schema says otherwise; a JSON Schema is taken as it is.
 *
 * @throws InputError INVALID_SCHEMA
 */
export function jsonSchemaOf(schema: unknown, field: string): JsonSchema {
  if (typeof schema === 'boolean') return schema;
  const standard = standardOf(schema);
  if (standard === undefined) {
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return { ...schema };
    throw invalid(
      field,
      schema,
      'is no schema',
      'Give a schema of zod, say, or an object that is JSON Schema.',
    );
  }
  const { jsonSchema } = standard;
  if (jsonSchema === undefined) {
    const remedy = 'Give a schema that has ~standard.jsonSchema (zod from 4.2), or its JSON Schema.';
    throw invalid(field, standard.vendor, 'does not say its JSON Schema', remedy);
  }
  try {
    // Of what goes in: what a transformation makes of it is made here, and not by the model.
    return closedObjects(jsonSchema.input({ target: 'draft-2020-12' }));
  } catch (cause) {
    const remedy = 'Use types that JSON has.';
    throw invalid(field, messageOf(cause), 'cannot be said in JSON Schema', remedy, cause);
  }
}

/** How typed schemas check a value; undefined of plain JSON Schema, to which the answer was held already. */
export function validatorOf(schema: unknown): StandardSchemaV1.Props['validate'] | undefined {
  return standardOf(schema)?.validate;
}

type StandardProps = StandardSchemaV1.Props & Partial<Pick<StandardJSONSchemaV1.Props, 'jsonSchema'>>;

/** Schemas of some libraries are functions. */
function standardOf(schema: unknown): StandardProps | undefined {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return undefined;
  if (!('~standard' in schema)) return undefined;
  return schema['~standard'] as StandardProps; // by the specification
}

function invalid(
  field: string,
  value: unknown,
  problem: string,
  remedy: string,
  cause?: unknown,
): InputError {
  return new InputError('INVALID_SCHEMA', problem, { field, value: shownValue(value), remedy }, cause);
}
