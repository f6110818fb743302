/** A conversation as OpenAI's API writes it, as one of ours. Positions are kept, so that errors name the right part. */
import type { ChatMessage, ContentPart } from '../../../actors/generation.ts';
import { badRequest } from './api-error.ts';
import { isGiven, isJsonObject } from './field-rule.ts';
import {
  checkFieldsOf,
  FILE_FIELDS,
  FILE_PART_FIELDS,
  IMAGE_PART_FIELDS,
  IMAGE_URL_FIELDS,
  MESSAGE_FIELDS,
} from './message-fields.ts';
import { parseToolCalls, parseToolMessage, textOf } from './tool-messages.ts';

/** More than any context holds, and few enough to look at one by one. */
const MAX_MESSAGES = 4096;

/** Of all messages together: each costs time in the chat template, and an image's is bounded besides. */
const MAX_PARTS = 4096;

/** Of an address, which is parsed; a data URL has its image's bound. */
const LONGEST_ADDRESS = 8192;

const ROLES = new Map<unknown, ChatMessage['role']>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
]);

type SaidBy = Exclude<ChatMessage['role'], 'tool'>;

export interface ParsedMessages {
  readonly messages: ChatMessage[];
  /** Our paths of images and calls, and where the client wrote them. */
  readonly clientFields: Map<string, string>;
}

export function parseMessages(messages: unknown): ParsedMessages {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw badRequest('empty_messages', 'messages', 'must be a list with at least one message');
  }
  if (messages.length > MAX_MESSAGES) {
    throw badRequest('too_many_messages', 'messages', `has more than ${MAX_MESSAGES} messages`);
  }
  const list: readonly unknown[] = messages;
  const parts = list.reduce<number>((sum, message) => sum + partsOf(message), 0);
  if (parts > MAX_PARTS) {
    throw badRequest('too_many_parts', 'messages', `has more than ${MAX_PARTS} content parts`);
  }
  const clientFields = new Map<string, string>();
  return {
    messages: list.map((message, index) => parseMessage(message, `messages[${index}]`, clientFields)),
    clientFields,
  };
}

function partsOf(message: unknown): number {
  return isJsonObject(message) && Array.isArray(message.content) ? message.content.length : 1;
}

function parseMessage(message: unknown, path: string, clientFields: Map<string, string>): ChatMessage {
  if (!isJsonObject(message)) throw badRequest('invalid_content', path, 'is no message');
  const role = ROLES.get(message.role);
  if (role === undefined) {
    throw badRequest('invalid_role', `${path}.role`, 'must be system, developer, user, assistant or tool');
  }
  checkFieldsOf(message, MESSAGE_FIELDS, path);
  if (role === 'tool') return parseToolMessage(message, path, clientFields);
  const content = parseContent(message.content, role, `${path}.content`, clientFields);
  const calls = message.tool_calls;
  if (!isGiven(calls) || (Array.isArray(calls) && calls.length === 0)) return { role, content };
  if (role === 'assistant') return { role, content, toolCalls: parseToolCalls(calls, path, clientFields) };
  throw badRequest('unsupported_parameter', `${path}.tool_calls`, 'belong into assistant messages');
}

function parseContent(
  content: unknown,
  role: SaidBy,
  path: string,
  clientFields: Map<string, string>,
): string | ContentPart[] {
  if (typeof content === 'string') return content;
  // An answer that had nothing but calls of tools, say.
  if (role === 'assistant' && (content === null || content === undefined)) return '';
  if (!Array.isArray(content)) {
    throw badRequest('invalid_content', path, 'must be text, or a list of text and image_url parts');
  }
  if (content.length === 0) return '';
  const parts: readonly unknown[] = content;
  return parts.map((part, index) => parsePart(part, role, `${path}[${index}]`, clientFields));
}

function parsePart(
  part: unknown,
  role: SaidBy,
  path: string,
  clientFields: Map<string, string>,
): ContentPart {
  if (!isJsonObject(part)) throw badRequest('invalid_content', path, 'is no content part');
  if (part.type === 'text') {
    return { type: 'text', text: textOf(part, path) };
  }
  if (part.type !== 'image_url' && part.type !== 'file') {
    throw badRequest('invalid_content', `${path}.type`, 'must be text, image_url or file');
  }
  if (role !== 'user') {
    throw badRequest('invalid_content', `${path}.type`, `${part.type} belongs into user messages`);
  }
  const isFile = part.type === 'file';
  checkFieldsOf(part, isFile ? FILE_PART_FIELDS : IMAGE_PART_FIELDS, path);
  const { field, url } = isFile
    ? parseFile(part.file, `${path}.file`)
    : parseImageUrl(part.image_url, `${path}.image_url`);
  clientFields.set(`${path}.image`, field);
  return { type: 'image', image: url };
}

interface PictureUrl {
  readonly field: string;
  readonly url: string;
}

/** Clients wrote the URL alone before the object was thought of, and some still do. */
function parseImageUrl(image: unknown, path: string): PictureUrl {
  if (typeof image === 'string') return { field: path, url: urlOf(image, path) };
  if (!isJsonObject(image))
    throw badRequest('invalid_content', path, 'must be an object with a url, or a url');
  checkFieldsOf(image, IMAGE_URL_FIELDS, path);
  const field = `${path}.url`;
  return { field, url: urlOf(image.url, field) };
}

function urlOf(given: unknown, field: string): string {
  const url = typeof given === 'string' ? given.trim() : '';
  if (!/^(https?|data|file):/i.test(url)) {
    throw badRequest('image_source_unsupported', field, 'must be an https:, http: or data: URL');
  }
  if (url.length <= LONGEST_ADDRESS || /^data:/i.test(url)) return url;
  throw badRequest('invalid_value', field, `has more than ${LONGEST_ADDRESS} characters`);
}

/** Some clients send every attachment as a file. Of these the pictures can be seen. */
function parseFile(file: unknown, path: string): PictureUrl {
  if (!isJsonObject(file)) throw badRequest('invalid_content', path, 'must be an object with file_data');
  checkFieldsOf(file, FILE_FIELDS, path);
  const field = `${path}.file_data`;
  const url = typeof file.file_data === 'string' ? file.file_data.trim() : '';
  if (/^data:image\//i.test(url)) return { field, url };
  throw badRequest('image_source_unsupported', field, 'must be a data: URL of type image/…');
}
