/**
 * The items of a Responses request as messages of a chat completion. A function call is a part of the assistant's message
 * before it, as the model once wrote it; what a function gave back is a message of its own.
 */
import { badRequest } from '../openai/api-error.ts';
import { isGiven, isJsonObject, type JsonObject } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';
import { contentOf } from './input-parts.ts';
import { CALL_ITEM_FIELDS, CALL_OUTPUT_FIELDS, MESSAGE_ITEM_FIELDS } from './item-fields.ts';

/** As many as a conversation may have messages. */
const MAX_ITEMS = 4096;

interface AssistantMessage {
  readonly role: 'assistant';
  readonly content: unknown;
  readonly tool_calls?: readonly object[];
}

/** The messages so far, and where each of their fields was written. */
export class ChatMessages {
  readonly list: object[] = [];
  readonly paths: Map<string, string>;
  /** The last message while calls may still belong to it. */
  #open: AssistantMessage | undefined;

  constructor(paths: Map<string, string>) {
    this.paths = paths;
  }

  push(message: object, path: string): void {
    this.#open = undefined;
    this.paths.set(this.#next(), path);
    this.list.push(message);
  }

  pushAssistant(content: unknown, path: string): void {
    const message: AssistantMessage = { role: 'assistant', content };
    this.push(message, path);
    this.#open = message;
  }

  pushCall({ call_id, name, arguments: text }: JsonObject, path: string): void {
    if (this.#open === undefined) {
      this.pushAssistant(null, path);
    }
    const calls = [
      ...(this.#open?.tool_calls ?? []),
      { id: call_id, type: 'function', function: { name, arguments: text } },
    ];
    const at = `messages[${this.list.length - 1}].tool_calls[${calls.length - 1}]`;
    this.paths.set(`${at}.id`, `${path}.call_id`);
    this.paths.set(`${at}.function`, path);
    this.#open = { role: 'assistant', content: this.#open?.content, tool_calls: calls };
    this.list[this.list.length - 1] = this.#open;
  }

  /** Path of the message that comes next. */
  #next(): string {
    return `messages[${this.list.length}]`;
  }

  get next(): string {
    return this.#next();
  }
}

/** @throws ApiError 400 naming the field */
export function addItems(input: unknown, messages: ChatMessages): void {
  if (typeof input === 'string') {
    messages.push({ role: 'user', content: input }, 'input');
    messages.paths.set('messages[0].content', 'input');
    return;
  }
  if (!Array.isArray(input) || input.length === 0) {
    throw badRequest('empty_messages', 'input', 'must be text, or a list with at least one item');
  }
  if (input.length > MAX_ITEMS) {
    throw badRequest('too_many_messages', 'input', `has more than ${MAX_ITEMS} items`);
  }
  const items: readonly unknown[] = input;
  for (const [index, item] of items.entries()) addItem(item, `input[${index}]`, messages);
}

function addItem(item: unknown, path: string, messages: ChatMessages): void {
  if (!isJsonObject(item)) throw badRequest('invalid_content', path, 'is no item');
  const type = isGiven(item.type) ? item.type : 'message';
  switch (type) {
    case 'message':
      addMessage(item, path, messages);
      break;
    case 'function_call':
      checkFieldsOf(item, CALL_ITEM_FIELDS, path);
      messages.pushCall(item, path);
      break;
    case 'function_call_output':
      addOutput(item, path, messages);
      break;
    case 'reasoning':
      break; // earlier reasoning is not shown to the model again
    case 'item_reference':
      throw badRequest('unsupported_parameter', path, REFERENCE);
    default:
      throw badRequest('unsupported_value', `${path}.type`, OTHER_ITEM);
  }
}

const REFERENCE =
  'refers to an item that was not stored, for nothing is stored; send the item itself (the AI SDK does with store: false)';
const OTHER_ITEM =
  'must be message, function_call, function_call_output or reasoning; nothing is stored, and no tools run here';

function addMessage(item: JsonObject, path: string, messages: ChatMessages): void {
  checkFieldsOf(item, MESSAGE_ITEM_FIELDS, path);
  const { role } = item;
  const at = `${messages.next}.content`;
  const content = contentOf(item.content, role, { ours: at, theirs: `${path}.content` }, messages.paths);
  if (role === 'assistant') messages.pushAssistant(content, path);
  else messages.push({ role, content }, path);
}

function addOutput(item: JsonObject, path: string, messages: ChatMessages): void {
  checkFieldsOf(item, CALL_OUTPUT_FIELDS, path);
  const at = messages.next;
  const theirs = `${path}.output`;
  const content = contentOf(item.output, 'tool', { ours: `${at}.content`, theirs }, messages.paths);
  messages.paths.set(`${at}.tool_call_id`, `${path}.call_id`);
  messages.paths.set(`${at}.content`, theirs);
  messages.push({ role: 'tool', tool_call_id: item.call_id, content }, path);
}
