/**
 * Checks a request's messages before any work is done for it. A request comes from outside the type system (JSON
 * over HTTP, plain JavaScript), so nothing about its shape is taken for granted.
 */
import { types } from 'node:util';
import { isUrl } from '../../runtime/util/realms.ts';
import { InputError } from '../errors.ts';
import type { ChatMessage, ContentPart, ImageSource } from '../generation.ts';
import { isRecord } from '../is-record.ts';
import { shownValue } from '../shown-value.ts';
import { validateToolMessages } from '../tools/tool-history.ts';
import { IMAGE_INPUT_REMEDY } from './image-source.ts';

/** An image of a request and where it sits in it. */
export interface RequestImage {
  readonly source: ImageSource;
  /** `messages[0].content[1].image` */
  readonly field: string;
}

export interface MessageLimits {
  /** Most images in one request. Default 8. */
  readonly maxImages?: number;
}

const DEFAULT_MAX_IMAGES = 8;
const ROLES = ['system', 'user', 'assistant', 'tool'];

/**
 * @returns the images in the order in which the model reads them
 * @throws InputError EMPTY_MESSAGES, INVALID_ROLE, INVALID_CONTENT, INVALID_TOOL_MESSAGES, TOO_MANY_IMAGES
 */
export function validateMessages(messages: unknown, limits: MessageLimits = {}): RequestImage[] {
  assertMessages(messages);
  const images = messages.flatMap(imagesOf);
  const { maxImages = DEFAULT_MAX_IMAGES } = limits;
  if (images.length > maxImages) {
    const remedy = 'Send fewer images, or raise limits.maxImages.';
    const facts = { field: 'messages', value: images.length, remedy };
    throw new InputError('TOO_MANY_IMAGES', `has more than ${maxImages} images`, facts);
  }
  return images;
}

/** A message's content as a list of parts; plain text is one part. */
export function contentParts(content: ChatMessage['content']): readonly ContentPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function imagesOf({ content }: ChatMessage, message: number): RequestImage[] {
  return contentParts(content).flatMap((part, i) =>
    part.type === 'image' ? [{ source: part.image, field: `messages[${message}].content[${i}].image` }] : [],
  );
}

function assertMessages(messages: unknown): asserts messages is readonly ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    const remedy = 'Give at least one message with role user.';
    throw new InputError('EMPTY_MESSAGES', 'has no messages', {
      field: 'messages',
      value: shownValue(messages),
      remedy,
    });
  }
  const list: readonly unknown[] = messages;
  for (const [i, message] of list.entries()) assertMessage(message, `messages[${i}]`);
  validateToolMessages(list.filter(isRecord));
}

function assertMessage(message: unknown, field: string): void {
  if (!isRecord(message)) throw invalidContent(field, message, 'is no message', 'Give role and content.');
  const { role, content } = message;
  if (typeof role !== 'string' || !ROLES.includes(role)) {
    const facts = {
      field: `${field}.role`,
      value: shownValue(role),
      remedy: `Use one of: ${ROLES.join(', ')}.`,
    };
    throw new InputError('INVALID_ROLE', 'is no role', facts);
  }
  if (typeof content === 'string') return;
  if (!Array.isArray(content) || content.length === 0) {
    throw invalidContent(
      `${field}.content`,
      content,
      'is no content',
      'Give text, or a list of text and image parts.',
    );
  }
  const parts: readonly unknown[] = content;
  for (const [i, part] of parts.entries()) {
    assertPart(part, `${field}.content[${i}]`);
    if (role !== 'tool' || (isRecord(part) && part.type === 'text')) continue;
    const at = `${field}.content[${i}].type`;
    throw invalidContent(at, 'image', 'is not in the result of a tool', 'Give text.');
  }
}

function assertPart(part: unknown, field: string): void {
  const type = isRecord(part) ? part.type : undefined;
  if (!isRecord(part) || (type !== 'text' && type !== 'image')) {
    throw invalidContent(`${field}.type`, type, 'is no kind of content', 'Use text or image.');
  }
  if (type === 'text') {
    if (typeof part.text === 'string') return;
    throw invalidContent(`${field}.text`, part.text, 'is no text', 'Give a string.');
  }
  const image = part.image;
  if (types.isUint8Array(image) || isUrl(image) || (typeof image === 'string' && image !== '')) return;
  throw invalidContent(`${field}.image`, image, 'is no image source', IMAGE_INPUT_REMEDY);
}

function invalidContent(field: string, value: unknown, problem: string, remedy: string): InputError {
  return new InputError('INVALID_CONTENT', problem, { field, value: shownValue(value), remedy });
}
