/** From JSON that a model wrote to the value that a schema makes of it. */

import { isRecord } from '../../actors/is-record.ts';
import { type ErrorDetails, TroupeError } from '../../runtime/errors.ts';
import { validatorOf } from './any-schema.ts';

export interface ValueErrors {
  /** Of JSON that ended before its end. */
  readonly incomplete: string;
  /** Of a value that the schema does not take. */
  readonly invalid: string;
  /** What it is called in messages. */
  readonly what: string;
}

const MOST_ISSUES = 8;

/** @throws TroupeError `incomplete` or `invalid`, with the text in its details */
export async function checkedValue(
  text: string,
  schema: unknown,
  { incomplete, invalid, what }: ValueErrors,
): Promise<unknown> {
  const value = parsed(text);
  if (value === undefined) {
    throw failure(`${what} is no complete JSON`, incomplete, { text });
  }
  const validate = validatorOf(schema);
  if (validate === undefined) return value.value;
  const result = await validate(value.value);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, MOST_ISSUES).map(({ message, path = [] }) => {
    const at = path.map((step) => String(isRecord(step) ? step.key : step)).join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  throw failure(`${what} is not what the schema takes: ${issues.join('; ')}`, invalid, { text, issues });
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function failure(message: string, code: string, details: ErrorDetails): TroupeError {
  return new TroupeError(message, { code, details });
}
