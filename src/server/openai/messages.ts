/** A conversation as OpenAI's API writes it, as one of ours. Positions are kept, so that errors name the right part. */
import type { ChatMessage, ContentPart } from '../../../actors/generation.ts';
import { badRequest } from './api-error.ts';

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
]);

/** Of messages beside role and content; what would change the prompt, and is not supported, is refused. */
const MESSAGE_FIELDS = new Set(['role', 'content', 'refusal']);

export function parseMessages(messages: unknown): ChatMessage[] {
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
  return list.map((message, index) => parseMessage(message, `messages[${index}]`));
}

function partsOf(message: unknown): number {
  return isRecord(message) && Array.isArray(message.content) ? message.content.length : 1;
}

function parseMessage(message: unknown, path: string): ChatMessage {
  if (!isRecord(message)) throw badRequest('invalid_content', path, 'is no message');
  const role = ROLES.get(message.role);
  if (role === undefined) {
    throw badRequest('invalid_role', `${path}.role`, 'must be system, developer, user or assistant');
  }
  refuseOthers(message, MESSAGE_FIELDS, path);
  if (message.refusal !== undefined && message.refusal !== null) {
    throw badRequest('unsupported_parameter', `${path}.refusal`, 'is not supported');
  }
  return { role, content: parseContent(message.content, role, `${path}.content`) };
}

function parseContent(content: unknown, role: ChatMessage['role'], path: string): ChatMessage['content'] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content) || content.length === 0) {
    throw badRequest('invalid_content', path, 'must be text, or a list of text and image_url parts');
  }
  const parts: readonly unknown[] = content;
  return parts.map((part, index) => parsePart(part, role, `${path}[${index}]`));
}

function parsePart(part: unknown, role: ChatMessage['role'], path: string): ContentPart {
  if (!isRecord(part)) throw badRequest('invalid_content', path, 'is no content part');
  if (part.type === 'text') {
    refuseOthers(part, new Set(['type', 'text']), path);
    if (typeof part.text === 'string') return { type: 'text', text: part.text };
    throw badRequest('invalid_content', `${path}.text`, 'must be a string');
  }
  if (part.type === 'image_url' && role === 'user') {
    refuseOthers(part, new Set(['type', 'image_url']), path);
    return { type: 'image', image: parseImageUrl(part.image_url, `${path}.image_url`) };
  }
  if (part.type === 'image_url') {
    throw badRequest('invalid_content', `${path}.type`, 'image_url belongs into user messages');
  }
  throw badRequest('invalid_content', `${path}.type`, 'must be text or image_url');
}

function parseImageUrl(image: unknown, path: string): string {
  if (!isRecord(image)) throw badRequest('invalid_content', path, 'must be an object with a url');
  refuseOthers(image, new Set(['url', 'detail']), path);
  const { url, detail } = image;
  if (detail !== undefined && detail !== null && detail !== 'auto' && detail !== 'high') {
    throw badRequest('unsupported_value', `${path}.detail`, 'is supported only as auto or high');
  }
  if (typeof url === 'string' && /^(https?|data|file):/i.test(url)) {
    if (url.length <= LONGEST_ADDRESS || /^data:/i.test(url)) return url;
    throw badRequest('invalid_value', `${path}.url`, `has more than ${LONGEST_ADDRESS} characters`);
  }
  throw badRequest('image_source_unsupported', `${path}.url`, 'must be an https:, http: or data: URL');
}

function refuseOthers(
  record: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  path: string,
): void {
  for (const [name, value] of Object.entries(record)) {
    if (known.has(name) || value === null || value === undefined) continue;
    throw badRequest('unsupported_parameter', `${path}.${name.slice(0, 64)}`, 'is not supported');
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
