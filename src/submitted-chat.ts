/**
 * A caller's request as it is sent to another thread: known fields only, images in a form that can be cloned.
 * What the fields hold is checked by the processor.
 */
import { InputError } from '../actors/errors.ts';
import type { ChatMessage, ChatRequest, ContentPart } from '../actors/generation.ts';
import type { ChatOptions } from './chat-types.ts';
import { present, SAMPLING_FIELDS } from './sampling-fields.ts';

const FIELDS: ReadonlySet<string> = new Set([...SAMPLING_FIELDS, 'messages', 'signal', 'timeoutMs']);

/** @throws InputError `INVALID_REQUEST`, `UNKNOWN_FIELD`, `INVALID_OPTION` */
export function submittedChat(request: ChatOptions): ChatRequest {
  assertRequest(request);
  for (const field of Object.keys(request)) {
    if (FIELDS.has(field)) continue;
    throw new InputError('UNKNOWN_FIELD', 'is no field of a request', {
      field,
      value: field,
      remedy: `Use one of ${[...FIELDS].join(', ')}`,
    });
  }
  const { messages } = request;
  // A caller in plain JavaScript may pass anything; what is no list is left to the processor to refuse.
  return {
    messages: Array.isArray(messages) ? messages.map(sendableMessage) : messages,
    ...present(request, SAMPLING_FIELDS),
  };
}

/** Callers in plain JavaScript may pass anything. */
function assertRequest(request: unknown): asserts request is ChatOptions {
  if (typeof request !== 'object' || request === null) {
    const facts = { field: 'request', value: String(request), remedy: 'Give an object with messages' };
    throw new InputError('INVALID_REQUEST', 'is no request', facts);
  }
  if (!('signal' in request) || request.signal === undefined || request.signal instanceof AbortSignal) return;
  const facts = {
    field: 'signal',
    value: typeof request.signal,
    remedy: 'Give the signal of an AbortController',
  };
  throw new InputError('INVALID_OPTION', 'is no AbortSignal', facts);
}

/** What the request's own failure to be sent means to its caller. */
export function unsendable(cause: unknown): InputError {
  return new InputError(
    'INVALID_REQUEST',
    'holds something that cannot be sent to another thread',
    {
      field: 'messages',
      value: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Use plain data: text, numbers, lists, bytes',
    },
    cause,
  );
}

function sendableMessage(message: ChatMessage): ChatMessage {
  if (!Array.isArray(message?.content)) return message;
  return { role: message.role, content: message.content.map(sendablePart) };
}

function sendablePart(part: ContentPart): ContentPart {
  if (part?.type !== 'image') return part;
  const { image } = part;
  if (image instanceof URL) return { type: 'image', image: image.href };
  // A small Buffer is a view of a large pool, all of which would be cloned.
  if (image instanceof Uint8Array && image.byteLength < image.buffer.byteLength) {
    return { type: 'image', image: new Uint8Array(image) };
  }
  return part;
}
