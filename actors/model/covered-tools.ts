/** Texts of tools and calls that come from outside, to be made harmless in a prompt: every one, names of members included. */
import type { JsonSchema } from '../constraint/constraint.ts';
import type { ToolDefinition } from '../tools/tool-types.ts';
import type { TemplateMessage } from './chat-template.ts';

type Change = (text: string) => string;

/** The same tools with every text changed. */
export function changeTools(tools: readonly ToolDefinition[], change: Change): ToolDefinition[] {
  return tools.map(({ name, description, parameters }) => ({
    name: change(name),
    ...(description === undefined ? {} : { description: change(description) }),
    ...(parameters === undefined ? {} : { parameters: changeValue(parameters, change) as JsonSchema }),
  }));
}

/** The same conversation with every text changed, in order. */
export function changeMessages(messages: readonly TemplateMessage[], change: Change): TemplateMessage[] {
  return messages.map(({ role, content, toolCalls, resultOf }) => ({
    role,
    content: content.map((part) => (part.type === 'text' ? { type: 'text', text: change(part.text) } : part)),
    ...(resultOf === undefined ? {} : { resultOf: { id: change(resultOf.id), name: change(resultOf.name) } }),
    ...(toolCalls === undefined
      ? {}
      : {
          toolCalls: toolCalls.map((call) => ({
            id: change(call.id),
            name: change(call.name),
            arguments: changeMembers(call.arguments, change),
          })),
        }),
  }));
}

function changeValue(value: unknown, change: Change): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one: unknown) => changeValue(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return changeMembers(value as Readonly<Record<string, unknown>>, change);
}

function changeMembers(value: Readonly<Record<string, unknown>>, change: Change): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [change(name), changeValue(member, change)]),
  );
}
