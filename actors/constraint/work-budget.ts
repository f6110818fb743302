/**
 * A bound on the work that one constraint may cause. A constraint is hostile input: whatever can grow with it pays here
 * for every state it makes, so that compiling ends within a time, wherever the growth comes from.
 */
import { constraintError } from './constraint-errors.ts';

/** Steps of compiling at most: states and edges made, 0.1 to 0.3 µs each. A schema of 5 KB takes 20,000, one of 50 KB 270,000. */
export const COMPILE_STEPS = 400_000;

export class WorkBudget {
  readonly #field: string;
  #left: number;

  /** @param field what is refused when the budget is spent */
  constructor(field: string, steps = COMPILE_STEPS) {
    this.#field = field;
    this.#left = steps;
  }

  /** Below 0 when it was exceeded. */
  get left(): number {
    return this.#left;
  }

  /** Pays for `steps`. @throws InputError CONSTRAINT_TOO_LARGE when none are left */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw constraintError({
      code: 'CONSTRAINT_TOO_LARGE',
      field: this.#field,
      problem: 'takes too many states',
      value: null,
      remedy: 'Make it smaller: fewer alternatives, shorter repetitions, simpler patterns.',
    });
  }
}
