/** Calls of tools and their results in a conversation, as OpenAI's chat completions write them. */
import type { TextPart, ToolMessage } from '../../../actors/generation.ts';
import type { ToolCall } from '../../../actors/tools/tool-types.ts';
import { badRequest } from './api-error.ts';
import { isJsonObject, type JsonObject } from './field-rule.ts';
import {
  CALLED_FUNCTION_FIELDS,
  checkFieldsOf,
  TEXT_PART_FIELDS,
  TOOL_CALL_FIELDS,
} from './message-fields.ts';

/** Whether its id is that of a call is the engine's to check. */
export function parseToolMessage(
  message: JsonObject,
  path: string,
  clientFields: Map<string, string>,
): ToolMessage {
  const { tool_call_id: toolCallId, content } = message;
  const field = `${path}.tool_call_id`;
  clientFields.set(`${path}.toolCallId`, field);
  if (typeof toolCallId !== 'string') throw badRequest('invalid_content', field, 'must be the id of a call');
  return { role: 'tool', toolCallId, content: resultOf(content, `${path}.content`) };
}

function resultOf(content: unknown, path: string): string | TextPart[] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) {
    throw badRequest('invalid_content', path, 'must be text, or a list of text parts');
  }
  if (content.length === 0) return '';
  const parts: readonly unknown[] = content;
  return parts.map((part, index) => {
    const at = `${path}[${index}]`;
    if (isJsonObject(part) && part.type === 'text') return { type: 'text', text: textOf(part, at) };
    throw badRequest('invalid_content', `${at}.type`, 'must be text in the result of a tool');
  });
}

/** Of a text part. */
export function textOf(part: JsonObject, path: string): string {
  checkFieldsOf(part, TEXT_PART_FIELDS, path);
  if (typeof part.text === 'string') return part.text;
  throw badRequest('invalid_content', `${path}.text`, 'must be a string');
}

/** @param path of the message */
export function parseToolCalls(calls: unknown, path: string, clientFields: Map<string, string>): ToolCall[] {
  if (!Array.isArray(calls)) throw badRequest('invalid_content', `${path}.tool_calls`, 'must be a list');
  const list: readonly unknown[] = calls;
  return list.map((call, index) => {
    const field = `${path}.tool_calls[${index}]`;
    const ours = `${path}.toolCalls[${index}]`;
    clientFields.set(ours, field);
    clientFields.set(`${ours}.name`, `${field}.function.name`);
    clientFields.set(`${ours}.arguments`, `${field}.function.arguments`);
    return parseToolCall(call, field);
  });
}

function parseToolCall(call: unknown, field: string): ToolCall {
  if (!isJsonObject(call)) throw badRequest('invalid_content', field, 'is no call of a tool');
  checkFieldsOf(call, TOOL_CALL_FIELDS, field);
  const { id, function: called } = call;
  if (typeof id !== 'string') throw badRequest('invalid_content', `${field}.id`, 'must be a string');
  if (!isJsonObject(called)) throw badRequest('invalid_content', `${field}.function`, 'must be an object');
  checkFieldsOf(called, CALLED_FUNCTION_FIELDS, `${field}.function`);
  const { name, arguments: given } = called;
  if (typeof name !== 'string')
    throw badRequest('invalid_content', `${field}.function.name`, 'must be a string');
  // Other servers take the object itself, and clients made for them send it.
  if (isJsonObject(given)) return { id, name, arguments: JSON.stringify(given) };
  if (typeof given === 'string') return { id, name, arguments: given };
  throw badRequest('invalid_content', `${field}.function.arguments`, 'must be JSON of an object');
}
