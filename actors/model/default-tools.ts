/**
 * Tools for models whose chat template does not know of any: what they are is said in a system message, calls are written
 * into the text of the answer that made them, and results come from the user. The words are those that Qwen2.5 and models
 * after Hermes 2 Pro were trained on.
 */

import type { ToolStyle } from '../tools/tool-style.ts';
import { toolSyntax } from '../tools/tool-syntax.ts';
import type { ToolDefinition } from '../tools/tool-types.ts';
import type { TemplateMessage, TextOrImage } from './chat-template.ts';

export interface DefaultToolsOptions {
  readonly style: ToolStyle;
  /** Whether the template writes system messages down. Otherwise the first message of the user says it. */
  readonly takesSystem: boolean;
}

/** The same conversation in roles and texts that every template knows. */
export function withDefaultTools(
  messages: readonly TemplateMessage[],
  tools: readonly ToolDefinition[],
  { style, takesSystem }: DefaultToolsOptions,
): TemplateMessage[] {
  const spoken = joinResults(messages, style);
  if (tools.length === 0) return spoken;
  const intro = text(introduction(tools, style));
  const role = takesSystem ? 'system' : 'user';
  const at = spoken.findIndex((message) => message.role === role || message.role === 'system');
  const found = spoken[at];
  if (found === undefined) return [{ role, content: [intro] }, ...spoken];
  const [first, ...rest] = found.content;
  // Behind what a system message says, and before what a user does.
  const content =
    found.role === 'system'
      ? [...found.content, text('\n\n'), intro]
      : joined([intro, text('\n\n')], first, rest);
  return spoken.with(at, { ...found, content });
}

function joined(
  head: readonly TextOrImage[],
  first: TextOrImage | undefined,
  rest: readonly TextOrImage[],
): TextOrImage[] {
  return first === undefined ? [...head] : [...head, first, ...rest];
}

function introduction(tools: readonly ToolDefinition[], style: ToolStyle): string {
  const functions = tools.map((tool) => JSON.stringify({ type: 'function', function: tool })).join('\n');
  const example = toolSyntax(style).call('<function-name>', '<args-json-object>');
  return [
    '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n',
    'You are provided with function signatures within <tools></tools> XML tags:\n',
    `<tools>\n${functions}\n</tools>\n\n`,
    `For each function call, return a json object with function name and arguments like this:\n${example}`,
  ].join('');
}

/** Results of calls, and what the user says right behind them, are one turn. */
function joinResults(messages: readonly TemplateMessage[], style: ToolStyle): TemplateMessage[] {
  const spoken: TemplateMessage[] = [];
  let inResults = false;
  for (const message of messages) {
    const { role, content, toolCalls = [] } = message;
    const last = spoken.at(-1);
    const parts = role === 'tool' ? [text(result(content))] : content;
    if (inResults && last !== undefined && (role === 'tool' || role === 'user')) {
      spoken[spoken.length - 1] = { role: 'user', content: [...last.content, text('\n'), ...parts] };
    } else if (role === 'tool') {
      spoken.push({ role: 'user', content: parts });
    } else if (toolCalls.length > 0) {
      spoken.push({ role, content: withCalls(content, toolCalls, style) });
    } else spoken.push({ role, content });
    inResults = role === 'tool';
  }
  return spoken;
}

function result(content: readonly TextOrImage[]): string {
  const said = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  return `<tool_response>\n${said}\n</tool_response>`;
}

function withCalls(
  content: readonly TextOrImage[],
  calls: NonNullable<TemplateMessage['toolCalls']>,
  style: ToolStyle,
): TextOrImage[] {
  const syntax = toolSyntax(style);
  const written = syntax.join(calls.map((call) => syntax.call(call.name, spacedJson(call.arguments))));
  const said = content.some((part) => part.type === 'text' && part.text !== '');
  return said ? [...content, text(`\n${written}`)] : [text(written)];
}

const text = (said: string): TextOrImage => ({ type: 'text', text: said });

/** As Python's `json.dumps` writes it, which is what models have seen. */
function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]: [string, unknown]) => `${JSON.stringify(name)}: ${spacedJson(member)}`,
  );
  return `{${members.join(', ')}}`;
}
