/** The refusal of a constraint for which the model has no token. */
import type { InputError } from '../../errors.ts';
import { constraintError } from '../constraint-errors.ts';

/** @returns CONSTRAINT_UNSUPPORTED */
export function unspeakable(): InputError {
  return constraintError({
    code: 'CONSTRAINT_UNSUPPORTED',
    field: 'constraint',
    problem: 'wants text that the vocabulary of the model cannot spell',
    value: null,
    remedy: 'Ask for other characters, or use a model whose tokenizer covers all bytes.',
  });
}
