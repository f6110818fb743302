/**
 * Refusals of constraints. A schema, pattern or grammar comes from whoever sends requests: what is wrong with it, what
 * cannot be honoured and what is too large are told apart, and each names its place.
 *
 * - `CONSTRAINT_INVALID`: it is not a schema, pattern or grammar, or nothing can satisfy it.
 * - `CONSTRAINT_UNSUPPORTED`: it is right, but answers cannot be held to it exactly.
 * - `CONSTRAINT_TOO_LARGE`: it, or the automaton that it makes, exceeds a limit.
 */
import { InputError } from '../errors.ts';

/** The codes of refused constraints. */
export type ConstraintErrorCode = 'CONSTRAINT_INVALID' | 'CONSTRAINT_UNSUPPORTED' | 'CONSTRAINT_TOO_LARGE';

/** What a refusal says. */
export interface ConstraintFault {
  readonly code: ConstraintErrorCode;
  /** The field, a JSON pointer behind `#` where it is in a schema: `constraint.schema#/properties/a/pattern`. */
  readonly field: string;
  /** Middle of a sentence; names the keyword. */
  readonly problem: string;
  readonly value: unknown;
  readonly remedy: string;
}

/** The error for a fault; its value on one short line. */
export function constraintError({ code, field, problem, value, remedy }: ConstraintFault): InputError {
  return new InputError(code, problem, { field, value: shown(value), remedy });
}

function shown(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.slice(0, 200);
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 200);
  } catch {
    return typeof value;
  }
}
