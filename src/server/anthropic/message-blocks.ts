/**
 * The messages of a Messages request as those of a chat completion. Results of tools are blocks of a user's message there
 * and messages of their own here; what the user says beside them follows in one of its own.
 */
import { badRequest } from '../openai/api-error.ts';
import { isJsonObject, type JsonObject } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';
import { imageUrl } from './image-source.ts';
import {
  IMAGE_BLOCK_FIELDS,
  MESSAGE_FIELDS,
  TEXT_BLOCK_FIELDS,
  TOOL_RESULT_FIELDS,
  TOOL_USE_FIELDS,
} from './request-fields.ts';

/** As many as a conversation may have. */
const MAX_MESSAGES = 4096;

export class ChatMessages {
  readonly list: JsonObject[] = [];
  readonly paths: Map<string, string>;

  constructor(paths: Map<string, string>) {
    this.paths = paths;
  }

  /** @param path of the message, and of its content unless that is elsewhere */
  push(message: JsonObject, path: string, contentPath = `${path}.content`): void {
    const at = `messages[${this.list.length}]`;
    this.paths.set(at, path);
    this.paths.set(`${at}.content`, contentPath);
    this.list.push(message);
  }

  /** Where its next message comes to be. */
  get next(): string {
    return `messages[${this.list.length}]`;
  }
}

/** @throws ApiError 400 naming the field */
export function addMessages(messages: unknown, chat: ChatMessages): void {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw badRequest('empty_messages', 'messages', 'must be a list with at least one message');
  }
  if (messages.length > MAX_MESSAGES) {
    throw badRequest('too_many_messages', 'messages', `has more than ${MAX_MESSAGES} messages`);
  }
  const list: readonly unknown[] = messages;
  for (const [index, message] of list.entries()) addMessage(message, `messages[${index}]`, chat);
}

function addMessage(message: unknown, path: string, chat: ChatMessages): void {
  if (!isJsonObject(message)) throw badRequest('invalid_content', path, 'is no message');
  checkFieldsOf(message, MESSAGE_FIELDS, path);
  const { role, content } = message;
  if (role !== 'user' && role !== 'assistant') {
    throw badRequest(
      'invalid_role',
      `${path}.role`,
      'must be user or assistant; what the system says goes into system',
    );
  }
  if (typeof content === 'string') {
    chat.push({ role, content }, path);
    return;
  }
  if (!Array.isArray(content)) {
    throw badRequest('invalid_content', `${path}.content`, 'must be text, or a list of blocks');
  }
  const blocks: readonly unknown[] = content;
  if (role === 'user') addUserBlocks(blocks, path, chat);
  else addAssistantBlocks(blocks, path, chat);
}

/** Messages are cut where a result of a tool is. */
function addUserBlocks(blocks: readonly unknown[], path: string, chat: ChatMessages): void {
  let parts: object[] = [];
  const flush = () => {
    if (parts.length > 0) chat.push({ role: 'user', content: parts }, path);
    parts = [];
  };
  for (const [index, block] of blocks.entries()) {
    const at = `${path}.content[${index}]`;
    if (isJsonObject(block) && block.type === 'tool_result') {
      flush();
      addResult(block, at, chat);
      continue;
    }
    const ours = `${chat.next}.content[${parts.length}]`;
    chat.paths.set(ours, at);
    parts.push(userPart(block, at, ours, chat.paths));
  }
  if (blocks.length === 0) chat.push({ role: 'user', content: '' }, path);
  flush();
}

function userPart(block: unknown, at: string, ours: string, paths: Map<string, string>): object {
  if (isJsonObject(block) && block.type === 'image') {
    checkFieldsOf(block, IMAGE_BLOCK_FIELDS, at);
    const { url, field } = imageUrl(block.source, `${at}.source`);
    paths.set(`${ours}.image_url.url`, field);
    return { type: 'image_url', image_url: { url } };
  }
  return textPart(block, at, 'text, image or tool_result');
}

function textPart(block: unknown, at: string, expected: string): object {
  if (!isJsonObject(block)) throw badRequest('invalid_content', at, 'is no block');
  if (block.type !== 'text') throw badRequest('invalid_content', `${at}.type`, `must be ${expected}`);
  checkFieldsOf(block, TEXT_BLOCK_FIELDS, at);
  return { type: 'text', text: block.text };
}

function addResult(block: JsonObject, at: string, chat: ChatMessages): void {
  checkFieldsOf(block, TOOL_RESULT_FIELDS, at);
  const { tool_use_id, content, is_error } = block;
  const ours = chat.next;
  chat.paths.set(`${ours}.tool_call_id`, `${at}.tool_use_id`);
  const said = resultContent(content, at, ours, chat.paths);
  chat.push(
    { role: 'tool', tool_call_id: tool_use_id, content: is_error === true ? asError(said) : said },
    at,
  );
}

function resultContent(content: unknown, at: string, ours: string, paths: Map<string, string>): unknown {
  if (content === undefined || content === null) return '';
  if (!Array.isArray(content)) return content;
  const blocks: readonly unknown[] = content;
  return blocks.map((block, index) => {
    const theirs = `${at}.content[${index}]`;
    paths.set(`${ours}.content[${index}]`, theirs);
    return textPart(block, theirs, 'text in the result of a tool; send pictures beside it');
  });
}

const ERROR = 'Error: ';

function asError(said: unknown): unknown {
  if (typeof said === 'string') return ERROR + said;
  return Array.isArray(said) ? [{ type: 'text', text: ERROR }, ...said] : said;
}

function addAssistantBlocks(blocks: readonly unknown[], path: string, chat: ChatMessages): void {
  const message = chat.next;
  const parts: object[] = [];
  const calls: object[] = [];
  for (const [index, block] of blocks.entries()) {
    const at = `${path}.content[${index}]`;
    const type = isJsonObject(block) ? block.type : undefined;
    // Earlier reasoning is not shown to the model again.
    if (type === 'thinking' || type === 'redacted_thinking') continue;
    if (isJsonObject(block) && type === 'tool_use') {
      const call = `${message}.tool_calls[${calls.length}]`;
      chat.paths.set(call, at);
      chat.paths.set(`${call}.function.name`, `${at}.name`);
      chat.paths.set(`${call}.function`, `${at}.input`);
      chat.paths.set(`${call}.function.arguments`, `${at}.input`);
      calls.push(callOf(block, at));
    } else {
      chat.paths.set(`${message}.content[${parts.length}]`, at);
      parts.push(textPart(block, at, 'text, tool_use or thinking'));
    }
  }
  const content = parts.length > 0 ? parts : '';
  chat.push({ role: 'assistant', content, ...(calls.length > 0 ? { tool_calls: calls } : {}) }, path);
}

function callOf(block: JsonObject, at: string): object {
  checkFieldsOf(block, TOOL_USE_FIELDS, at);
  const { id, name, input } = block;
  if (!isJsonObject(input)) throw badRequest('invalid_content', `${at}.input`, 'must be an object');
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}
