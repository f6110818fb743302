/** A Messages request as the chat completion request that asks for the same. */
import { badRequest } from '../openai/api-error.ts';
import { isGiven, isJsonObject, type JsonObject, objection, oneOf, shortened } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';
import { checkedBody } from '../translation/checked-body.ts';
import { ownTools } from '../translation/own-tools.ts';
import type { TranslatedRequest } from '../translation/through-chat.ts';
import { addMessages, ChatMessages } from './message-blocks.ts';
import { COUNT_FIELDS, MESSAGES_FIELDS, TEXT_BLOCK_FIELDS, TOOL_FIELDS } from './request-fields.ts';

/** @throws ApiError 400 naming the field */
export function messagesToChat(request: unknown): TranslatedRequest {
  const fields = checkedBody(request, MESSAGES_FIELDS, {});
  if (fields.max_tokens === undefined) throw badRequest('invalid_value', 'max_tokens', 'has to be there');
  const { body, paths } = promptToChat(fields);
  const { model: _, ...asked } = fields;
  const more: Record<string, unknown> = { stop: asked.stop_sequences, user: userOf(asked.metadata) };
  for (const name of ['max_tokens', 'stream', 'temperature', 'top_p', 'top_k']) more[name] = asked[name];
  return { body: { ...body, ...present(more) }, paths };
}

/** What is asked how many tokens it has. @throws ApiError 400 naming the field */
export function countToChat(request: unknown): TranslatedRequest {
  return promptToChat(checkedBody(request, COUNT_FIELDS, {}));
}

function promptToChat(fields: JsonObject): TranslatedRequest {
  const paths = new Map([
    ['stop', 'stop_sequences'],
    ['maxTokens', 'max_tokens'],
    ['user', 'metadata.user_id'],
    ['response_format', 'output_config.format'],
    ['response_format.json_schema', 'output_config.format'],
    ['parallel_tool_calls', 'tool_choice.disable_parallel_tool_use'],
  ]);
  const chat = new ChatMessages(paths);
  addSystem(fields.system, chat);
  addMessages(fields.messages, chat);
  const body = {
    model: fields.model,
    messages: chat.list,
    tools: fields.tools === undefined ? undefined : toolsOf(fields.tools, paths),
    response_format: formatOf(fields.output_config),
    ...choiceOf(fields.tool_choice, paths),
  };
  return { body: present(body), paths };
}

function present(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function addSystem(system: unknown, chat: ChatMessages): void {
  if (system === undefined) return;
  if (typeof system === 'string') {
    chat.push({ role: 'system', content: system }, 'system', 'system');
    return;
  }
  if (!Array.isArray(system)) {
    throw badRequest('invalid_content', 'system', 'must be text, or a list of text blocks');
  }
  const blocks: readonly unknown[] = system;
  const content = blocks.map((block, index) => {
    const path = `system[${index}]`;
    if (!isJsonObject(block) || block.type !== 'text') {
      throw badRequest('invalid_content', path, 'must be a text block');
    }
    checkFieldsOf(block, TEXT_BLOCK_FIELDS, path);
    return { type: 'text', text: block.text };
  });
  chat.push({ role: 'system', content }, 'system', 'system');
}

function toolsOf(tools: unknown, paths: Map<string, string>): unknown {
  return ownTools(tools, paths, {
    called: 'tools',
    fields: TOOL_FIELDS,
    isOwn: (type) => !isGiven(type) || type === 'custom',
    describe: ({ name, description, input_schema: parameters, strict }, path) => {
      paths.set(`${path}.function.parameters`, `${path}.input_schema`);
      if (!isGiven(parameters)) throw badRequest('invalid_value', `${path}.input_schema`, 'has to be there');
      return { name, description, parameters, strict };
    },
  });
}

const CHOICES: Readonly<Record<string, string>> = { auto: 'auto', any: 'required', none: 'none' };

function choiceOf(choice: unknown, paths: Map<string, string>): JsonObject {
  if (choice === undefined) return {};
  if (!isJsonObject(choice)) throw badRequest('invalid_type', 'tool_choice', 'must be an object');
  for (const [name, value] of Object.entries(choice)) {
    if (['type', 'name', 'disable_parallel_tool_use'].includes(name) || !isGiven(value)) continue;
    throw badRequest('unsupported_parameter', `tool_choice.${shortened(name)}`, 'is not supported');
  }
  const { type, name, disable_parallel_tool_use: alone } = choice;
  if (isGiven(alone) && typeof alone !== 'boolean') {
    throw badRequest('invalid_type', 'tool_choice.disable_parallel_tool_use', 'must be true or false');
  }
  paths.set('tool_choice.function', 'tool_choice');
  const known = typeof type === 'string' && Object.hasOwn(CHOICES, type) ? CHOICES[type] : undefined;
  const tool_choice = type === 'tool' ? { type: 'function', function: { name } } : known;
  if (tool_choice === undefined) {
    throw badRequest('invalid_value', 'tool_choice.type', 'must be auto, any, tool or none');
  }
  return { tool_choice, ...(alone === true ? { parallel_tool_calls: false } : {}) };
}

function formatOf(config: unknown): unknown {
  if (config === undefined) return undefined;
  if (!isJsonObject(config)) throw badRequest('invalid_type', 'output_config', 'must be an object');
  for (const [name, value] of Object.entries(config)) {
    if (!isGiven(value) || name === 'format') continue;
    const problem = name === 'effort' ? objection(oneOf('high'), value) : 'is not supported';
    if (problem !== undefined)
      throw badRequest('unsupported_parameter', `output_config.${shortened(name)}`, problem);
  }
  const { format } = config;
  if (!isGiven(format)) return undefined;
  if (!isJsonObject(format) || format.type !== 'json_schema') {
    throw badRequest('unsupported_value', 'output_config.format', 'must be of type json_schema');
  }
  return { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema, strict: true } };
}

function userOf(metadata: unknown): unknown {
  if (metadata === undefined) return undefined;
  if (!isJsonObject(metadata)) throw badRequest('invalid_type', 'metadata', 'must be an object');
  return metadata.user_id ?? undefined;
}
