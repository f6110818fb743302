/** The refusal of a constraint that turns out too ambiguous while an answer is held to it. */
import type { InputError } from '../../errors.ts';
import { constraintError } from '../constraint-errors.ts';

/** @returns CONSTRAINT_TOO_LARGE */
export function stepsExceeded(): InputError {
  return constraintError({
    code: 'CONSTRAINT_TOO_LARGE',
    field: 'constraint',
    problem: 'can be read in too many ways at once',
    value: null,
    remedy: 'Make it less ambiguous: fewer rules that begin alike, fewer repetitions within repetitions.',
  });
}
