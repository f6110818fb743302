/** The bytes of a request to what it asks for: the same on the main thread and on the reader's. */

import type { ChatMessage, ContentPart } from '../../../actors/generation.ts';
import { decodeDataUrl } from '../../../actors/processor/data-url.ts';
import { registerErrorClass } from '../../../runtime/wire/error-codec.ts';
import { type DetailsOf, type EndpointName, REQUEST_READERS } from '../endpoint/request-readers.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { ApiError } from '../openai/api-error.ts';
import { toApiError } from '../openai/to-api-error.ts';
import { parseJson } from './json-value.ts';

// They are thrown on one thread and answered on the other.
registerErrorClass(ApiError);

/** @throws ApiError, InputError */
export function readChat<Name extends EndpointName>(
  endpoint: Name,
  body: Uint8Array,
  facts: RequestFacts,
): ServedChat<DetailsOf<Name>> {
  // TypeScript takes the readers' results together; the one of this name gives its own details.
  return REQUEST_READERS[endpoint](parseJson(body), facts) as ServedChat<DetailsOf<Name>>;
}

/**
 * The same request with bytes, each in memory of its own, in place of data URLs.
 * @throws ApiError of IMAGE_DATA_URL_INVALID, IMAGE_TOO_LARGE_BYTES, naming the field that the client wrote
 */
export function withImageBytes(
  request: ServedChat,
  maxImageBytes: number,
): { readonly request: ServedChat; readonly buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const decodedUrl = (url: string, field: string) => {
    try {
      return decodeDataUrl(url, field, maxImageBytes);
    } catch (error) {
      throw toApiError(error, request.clientFields);
    }
  };
  const decoded = (part: ContentPart, field: string): ContentPart => {
    if (part.type !== 'image' || typeof part.image !== 'string' || !/^data:/i.test(part.image)) return part;
    const bytes = decodedUrl(part.image, `${field}.image`);
    // Small buffers are views of a pool that others have a part in.
    const own =
      bytes.length === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
    buffers.push(own.buffer);
    return { type: 'image', image: own };
  };
  const messages = request.chat.messages.map((message, index): ChatMessage => {
    const { content } = message;
    if (typeof content === 'string' || message.role === 'tool') return message;
    const field = `messages[${index}].content`;
    return { ...message, content: content.map((part, at) => decoded(part, `${field}[${at}]`)) };
  });
  return { request: { ...request, chat: { ...request.chat, messages } }, buffers };
}
