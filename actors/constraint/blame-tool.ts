/** Says which tool's parameters a request's answer could not be held to, and where: callers know nothing of what we made of them. */
import { InputError } from '../errors.ts';
import type { ChatRequest } from '../generation.ts';
import { compileConstraint } from './compile-constraint.ts';
import type { Constraint, JsonSchema } from './constraint.ts';
import { GrammarBuilder } from './grammar/grammar-builder.ts';
import { SchemaCompiler } from './schema/schema-compiler.ts';
import { COMPILE_STEPS, WorkBudget } from './work-budget.ts';

/** What of a request became its constraint. */
export interface ToolsToBlame {
  readonly tools?: ChatRequest['tools'] | undefined;
  readonly toolChoice?: ChatRequest['toolChoice'] | undefined;
  readonly constraint?: Constraint | undefined;
}

/** Steps of compiling that looking for the tool may take, in all. */
const SEARCH_STEPS = 4 * COMPILE_STEPS;

/** Whether a failure may be of a tool, and what was compiled is not what the caller wrote. */
export function mayBlameTool({ tools = [], toolChoice }: ToolsToBlame): boolean {
  return tools.length > 0 && toolChoice !== 'none';
}

/**
 * @param code of the failure to compile the request's constraint
 * @returns the same about what the caller wrote
 */
export function blameTool(code: string, { tools = [], constraint }: ToolsToBlame): InputError {
  let left = SEARCH_STEPS;
  for (const [index, { parameters }] of tools.entries()) {
    if (parameters === undefined) continue;
    const field = `tools[${index}].parameters`;
    const budget = new WorkBudget(field);
    const found = schemaFailure(parameters, field, budget);
    if (found !== undefined) return found;
    left -= COMPILE_STEPS - budget.left;
    if (left < 0) return together(code, tools.length);
  }
  // What the answer has to be where it calls nothing.
  const own = constraint?.type === 'either' ? constraint.alternatives[1] : undefined;
  const found = own === undefined ? undefined : failureOf(() => compileConstraint(own));
  if (found !== undefined) return found;
  return together(code, tools.length);
}

/** No tool alone is to blame, or it took too long to find out. */
export function together(code: string, count: number): InputError {
  return new InputError(code, 'cannot be held to together', {
    field: 'tools',
    value: count,
    remedy: 'Give fewer tools, or smaller schemas.',
  });
}

function schemaFailure(schema: JsonSchema, field: string, budget: WorkBudget): InputError | undefined {
  return failureOf(() => {
    const builder = new GrammarBuilder(budget, field);
    builder.finish(new SchemaCompiler(schema, field, builder).root(), '');
  });
}

function failureOf(compile: () => void): InputError | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
