/** Which of its tools a request lets the model call; it is told of all of them. */
import type { ToolChoice, ToolDefinition } from './tool-types.ts';

export function callableTools(
  tools: readonly ToolDefinition[],
  choice: ToolChoice = 'auto',
): readonly ToolDefinition[] {
  if (choice === 'none') return [];
  if (typeof choice === 'string') return tools;
  return tools.filter(({ name }) => ('name' in choice ? name === choice.name : choice.names.includes(name)));
}
