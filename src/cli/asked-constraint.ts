/** What the answer of `troupe ask` has to be, as its flags say it. */
import { readFile } from 'node:fs/promises';
import type { Constraint } from '../../actors/constraint/constraint.ts';
import { InputError } from '../../actors/errors.ts';
import { messageOf } from '../../runtime/util/realms.ts';
import type { AskFlags } from './flags.ts';

type ConstraintFlags = Pick<AskFlags, 'schema' | 'jsonSchema' | 'choice'>;

/** @throws InputError INVALID_ARGUMENT */
export async function askedConstraint(flags: ConstraintFlags): Promise<Constraint | undefined> {
  const { schema: file, jsonSchema, choice } = flags;
  const given = givenFlags(flags);
  if (given.length > 1) throw invalid(given.join(', '), null, 'contradict each other', 'Give one of them');
  if (choice !== undefined) return { type: 'choice', choices: choice };
  if (jsonSchema !== undefined) return { type: 'json_schema', schema: parsed(jsonSchema, '--json-schema') };
  if (file === undefined) return undefined;
  try {
    return {
      type: 'json_schema',
      schema: parsed(withoutMark(await readFile(file, 'utf8')), `--schema ${file}`),
    };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw invalid('--schema', file, `cannot be read: ${messageOf(error)}`, 'Give a file with JSON Schema');
  }
}

/** Where a refused constraint came from, with the place in it. */
export function constraintFlag(field: string, flags: ConstraintFlags): string {
  const [flag = 'constraint'] = givenFlags(flags);
  const place = field.indexOf('#');
  return place === -1 ? flag : `${flag} ${field.slice(place)}`;
}

function givenFlags({ schema, jsonSchema, choice }: ConstraintFlags): string[] {
  const flags = [
    schema !== undefined && '--schema',
    jsonSchema !== undefined && '--json-schema',
    choice !== undefined && '--choice',
  ];
  return flags.filter((flag) => flag !== false);
}

function parsed(text: string, flag: string): boolean | Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'boolean') return value;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // said below
  }
  throw invalid(flag, text.slice(0, 60), 'is no JSON Schema', 'Give a JSON object');
}

/** Some editors begin a file with a byte order mark. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function invalid(field: string, value: string | null, problem: string, remedy: string): InputError {
  return new InputError('INVALID_ARGUMENT', problem, { field, value, remedy });
}
