/** Says which tool's parameters a request's answer could not be held to, and where: callers know nothing of what we made of them. */
import { compileConstraint } from '../constraint/compile-constraint.ts';
import type { JsonSchema } from '../constraint/constraint.ts';
import { GrammarBuilder } from '../constraint/grammar/grammar-builder.ts';
import { SchemaCompiler } from '../constraint/schema/schema-compiler.ts';
import { WorkBudget } from '../constraint/work-budget.ts';
import { InputError } from '../errors.ts';
import type { ChatRequest } from '../generation.ts';

/**
 * @param error of compiling the request's constraint
 * @returns the same about what the caller wrote
 */
export function blameTool(
  error: unknown,
  { tools = [], toolChoice, constraint }: Pick<ChatRequest, 'tools' | 'toolChoice' | 'constraint'>,
): unknown {
  if (!(error instanceof InputError) || tools.length === 0 || toolChoice === 'none') return error;
  for (const [index, { parameters }] of tools.entries()) {
    const found =
      parameters === undefined ? undefined : schemaFailure(parameters, `tools[${index}].parameters`);
    if (found !== undefined) return found;
  }
  // What the answer has to be where it calls nothing.
  const own = constraint?.type === 'either' ? constraint.alternatives[1] : undefined;
  const found = own === undefined ? undefined : failureOf(() => compileConstraint(own));
  if (found !== undefined) return found;
  return new InputError(error.code, 'cannot be held to together', {
    field: 'tools',
    value: tools.length,
    remedy: 'Give fewer tools, or smaller schemas.',
  });
}

function schemaFailure(schema: JsonSchema, field: string): InputError | undefined {
  return failureOf(() => {
    const builder = new GrammarBuilder(new WorkBudget(field), field);
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
