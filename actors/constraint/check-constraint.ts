/** Whether a value is a constraint at all: callers without types send anything. */
import * as z from 'zod';
import type { Constraint } from './constraint.ts';
import { constraintError } from './constraint-errors.ts';

/** Read by the schema compiler itself, which names the place of what is wrong. */
const jsonSchema = z.strictObject({
  type: z.literal('json_schema'),
  schema: z.custom<boolean | Record<string, unknown>>(isSchema, 'Give an object of keywords, true or false.'),
});
const regex = z.strictObject({ type: z.literal('regex'), pattern: z.string() });
const grammar = z.strictObject({ type: z.literal('grammar'), grammar: z.string() });
const tag = z.strictObject({
  begin: z.string(),
  content: z.discriminatedUnion('type', [jsonSchema, regex, grammar]),
  end: z.string(),
});
const constraintSchema = z.discriminatedUnion('type', [
  jsonSchema,
  regex,
  grammar,
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('choice'), choices: z.array(z.string()).min(1) }),
  z.strictObject({
    type: z.literal('tagged'),
    tags: z.array(tag).min(1),
    required: z.boolean().optional(),
    maxTags: z.int().positive().optional(),
  }),
]);

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

/** @throws InputError CONSTRAINT_INVALID, naming the first field that is wrong */
export function checkConstraint(constraint: unknown, field: string): asserts constraint is Constraint {
  const { error } = constraintSchema.safeParse(constraint);
  const issue = error?.issues[0];
  if (issue === undefined) return;
  const place = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  let value: unknown = constraint;
  for (const part of issue.path) value = Object(value)[part];
  const problem = 'is not what a constraint has there';
  throw constraintError({
    code: 'CONSTRAINT_INVALID',
    field: `${field}${place}`,
    problem,
    value,
    remedy: `${issue.message.replace(/\.$/, '')}.`,
  });
}
