/** A Responses request as the chat completion request that asks for the same. */
import { badRequest } from '../openai/api-error.ts';
import {
  isGiven,
  isJsonObject,
  type JsonObject,
  objection,
  oneOf,
  ruleOf,
  shortened,
} from '../openai/field-rule.ts';
import { checkedBody } from '../translation/checked-body.ts';
import { ownTools } from '../translation/own-tools.ts';
import type { TranslatedRequest } from '../translation/through-chat.ts';
import { addItems, ChatMessages } from './input-items.ts';
import { FUNCTION_TOOL_FIELDS } from './item-fields.ts';
import { RESPONSE_FIELDS } from './request-fields.ts';

/** Fields that are the same in both. */
const SAME = [
  ...['model', 'stream', 'temperature', 'top_p', 'top_k', 'min_p', 'repetition_penalty', 'presence_penalty'],
  ...['frequency_penalty', 'seed', 'stop', 'parallel_tool_calls', 'user', 'safety_identifier'],
] as const;

const LOGPROBS = 'message.output_text.logprobs';

/** @throws ApiError 400 naming the field */
export function responseToChat(request: unknown): TranslatedRequest {
  const fields = checkedBody(request, RESPONSE_FIELDS);
  const paths = new Map([
    ['messages', 'input'],
    ['max_completion_tokens', 'max_output_tokens'],
    ['max_tokens', 'max_output_tokens'],
    ['maxTokens', 'max_output_tokens'],
    ['logprobs', 'include'],
    ['response_format', 'text.format'],
    ['response_format.json_schema', 'text.format'],
  ]);
  const messages = new ChatMessages(paths);
  addInstructions(fields.instructions, messages);
  addItems(fields.input, messages);
  checkStreamOptions(fields.stream_options);
  const { tools, tool_choice } = fields;
  const body: Record<string, unknown> = {
    messages: messages.list,
    max_completion_tokens: fields.max_output_tokens,
    response_format: formatOf(fields.text),
    ...logprobsOf(fields),
    tools: tools === undefined ? undefined : toolsOf(tools, paths),
    tool_choice: tool_choice === undefined ? undefined : choiceOf(tool_choice, paths),
  };
  for (const name of SAME) body[name] = fields[name];
  // What other servers have, and chat completions have too.
  for (const name of Object.keys(fields)) {
    if (ruleOf(RESPONSE_FIELDS, name) === undefined) body[name] = fields[name];
  }
  return { body: Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)), paths };
}

function addInstructions(instructions: unknown, messages: ChatMessages): void {
  if (instructions === undefined) return;
  if (typeof instructions !== 'string') throw badRequest('invalid_type', 'instructions', 'must be a string');
  messages.push({ role: 'system', content: instructions }, 'instructions');
  messages.paths.set('messages[0].content', 'instructions');
}

function checkStreamOptions(options: unknown): void {
  if (options === undefined) return;
  if (!isJsonObject(options)) throw badRequest('invalid_type', 'stream_options', 'must be an object');
  for (const [name, value] of Object.entries(options)) {
    if (!isGiven(value)) continue;
    const problem = name === 'include_obfuscation' ? objection(oneOf(false), value) : 'is not supported';
    if (problem !== undefined)
      throw badRequest('unsupported_parameter', `stream_options.${shortened(name)}`, problem);
  }
}

function formatOf(text: unknown): unknown {
  if (text === undefined) return undefined;
  if (!isJsonObject(text)) throw badRequest('invalid_type', 'text', 'must be an object');
  for (const [name, value] of Object.entries(text)) {
    if (!isGiven(value) || name === 'format') continue;
    const problem = name === 'verbosity' ? objection(oneOf('medium'), value) : 'is not supported';
    if (problem !== undefined) throw badRequest('unsupported_parameter', `text.${shortened(name)}`, problem);
  }
  const { format } = text;
  if (!isGiven(format)) return undefined;
  if (!isJsonObject(format)) throw badRequest('invalid_type', 'text.format', 'must be an object');
  if (format.type !== 'json_schema') return format;
  const { type, ...json_schema } = format;
  return { type, json_schema };
}

/** Asked for by name, or by how many. */
function logprobsOf({ include, top_logprobs }: JsonObject): JsonObject {
  if (include !== undefined && !(Array.isArray(include) && include.every((one) => typeof one === 'string'))) {
    throw badRequest('invalid_type', 'include', 'must be a list of strings');
  }
  const included = Array.isArray(include) && include.includes(LOGPROBS);
  if (top_logprobs === undefined) return included ? { logprobs: true } : {};
  return { logprobs: included || top_logprobs !== 0, top_logprobs };
}

function toolsOf(tools: unknown, paths: Map<string, string>): unknown {
  return ownTools(tools, paths, {
    called: 'functions',
    fields: FUNCTION_TOOL_FIELDS,
    isOwn: (type) => type === 'function',
    describe: ({ name, description, parameters, strict }) => ({ name, description, parameters, strict }),
  });
}

function choiceOf(choice: unknown, paths: Map<string, string>): unknown {
  if (!isJsonObject(choice)) return choice;
  if (choice.type === 'function') {
    paths.set('tool_choice.function', 'tool_choice');
    return { type: 'function', function: { name: choice.name } };
  }
  if (choice.type === 'allowed_tools') {
    paths.set('tool_choice.allowed_tools', 'tool_choice');
    const { mode, tools } = choice;
    const names: readonly unknown[] = Array.isArray(tools) ? tools : [];
    const allowed = names.map((tool, index) => {
      paths.set(`tool_choice.allowed_tools.tools[${index}].function`, `tool_choice.tools[${index}]`);
      return isJsonObject(tool) ? { type: tool.type, function: { name: tool.name } } : tool;
    });
    return { type: 'allowed_tools', allowed_tools: { mode, tools: allowed } };
  }
  throw badRequest('unsupported_value', 'tool_choice.type', 'must be function or allowed_tools');
}
