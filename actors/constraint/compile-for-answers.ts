/** A constraint as answers are held to it: the grammar, and what of the space before an answer is no part of it. */
import { compileConstraint } from './compile-constraint.ts';
import type { CompiledConstraint, SpaceBefore } from './compiled-constraint.ts';
import type { Constraint } from './constraint.ts';
import { COMPILE_STEPS } from './work-budget.ts';

/** What is compiled, and for which model. */
export interface ConstraintToCompile {
  readonly constraint: Constraint;
  /** Texts of control tokens that an answer shows. */
  readonly shownControls: readonly string[];
}

/** @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED; CONSTRAINT_TOO_LARGE, also beyond `steps` of compiling */
export function compileForAnswers(
  { constraint, shownControls }: ConstraintToCompile,
  steps = COMPILE_STEPS,
): CompiledConstraint {
  const grammar = compileConstraint(constraint, 'constraint', shownControls, steps);
  return { grammar, spaceBefore: spaceBefore(constraint, grammar.takesSpace) };
}

/** White space around JSON means nothing, and a tagged answer is an answer like others between its passages. */
function spaceBefore(constraint: Constraint, takesSpace: boolean): SpaceBefore {
  if (skipsSpace(constraint)) return 'any';
  return takesSpace ? 'one' : 'none';
}

function skipsSpace(constraint: Constraint): boolean {
  const { type } = constraint;
  if (type === 'either') return constraint.alternatives.every(skipsSpace);
  return type === 'json_schema' || type === 'json_object' || type === 'tagged';
}
