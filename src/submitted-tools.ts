/** What a request says about tools, and what its answer is held to because of them. */
import type { Constraint } from '../actors/constraint/constraint.ts';
import type { ChatRequest } from '../actors/generation.ts';
import { callConstraint } from '../actors/tools/call-constraint.ts';
import type { ToolStyle } from '../actors/tools/tool-style.ts';
import { toolSyntax } from '../actors/tools/tool-syntax.ts';
import type { ToolOptions } from '../actors/tools/tool-types.ts';
import { validateTools } from '../actors/tools/validate-tools.ts';

type SubmittedTools = Pick<
  ChatRequest,
  'tools' | 'toolChoice' | 'parallelToolCalls' | 'toolStyle' | 'constraint'
>;

/**
 * @param constraint of the answer where it calls nothing
 * @throws InputError INVALID_TOOLS
 */
export function submittedTools(
  options: ToolOptions,
  style: ToolStyle,
  constraint: Constraint | undefined,
): SubmittedTools {
  const checked = validateTools(options);
  const calls = callConstraint(style, checked);
  const held = calls === undefined ? constraint : heldTo(calls, constraint, style);
  return {
    // History may have calls where nothing can be called any more. The processor's default need not be said.
    ...(style === 'hermes' ? {} : { toolStyle: style }),
    ...(checked.tools.length === 0 ? {} : checked),
    ...(held === undefined ? {} : { constraint: held }),
  };
}

/** An answer that has to call says nothing else; one that may call either does, or is what it has to be. */
function heldTo(
  calls: NonNullable<ReturnType<typeof callConstraint>>,
  constraint: Constraint | undefined,
  style: ToolStyle,
): Constraint {
  if (constraint === undefined || calls.required) return calls;
  // Whichever it is, it is nothing else.
  const others = constraint.type === 'either' ? constraint.alternatives : ([constraint] as const);
  return {
    type: 'either',
    alternatives: [{ ...calls, required: true, separator: toolSyntax(style).separator }, ...others],
  };
}
