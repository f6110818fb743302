/**
 * A caller's request as it is sent to another thread: known fields only, images in a form that can be cloned.
 * What the fields hold is checked by the processor.
 */
import { InputError } from '../actors/errors.ts';
import { shownValue } from '../actors/shown-value.ts';
import type { ToolStyle } from '../actors/tools/tool-style.ts';
import { messageOf } from '../runtime/util/realms.ts';
import { assertSignal } from './caller-input.ts';
import type { ChatOptions } from './chat-types.ts';
import { mapImages } from './map-images.ts';
import type { UnreadChat } from './read-blobs.ts';
import { present, SAMPLING_FIELDS } from './sampling-fields.ts';
import { sendableImage } from './sendable-image.ts';
import { submittedTools } from './submitted-tools.ts';

const TOOL_FIELDS = ['tools', 'toolChoice', 'parallelToolCalls'] as const;

const FIELDS: ReadonlySet<string> = new Set([
  ...SAMPLING_FIELDS,
  ...TOOL_FIELDS,
  'messages',
  'constraint',
  'signal',
  'timeoutMs',
]);

/**
 * @param toolStyle how the model writes calls
 * @throws InputError `INVALID_REQUEST`, `UNKNOWN_FIELD`, `INVALID_OPTION`, `INVALID_CONTENT`, `INVALID_TOOLS`
 */
export function submittedChat(request: ChatOptions, toolStyle: ToolStyle = 'hermes'): UnreadChat {
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
    messages: Array.isArray(messages) ? mapImages(messages, sendableImage) : (messages as never),
    ...present(request, SAMPLING_FIELDS),
    ...submittedTools(present(request, TOOL_FIELDS), toolStyle, request.constraint),
  };
}

/** Callers in plain JavaScript may pass anything. */
function assertRequest(request: unknown): asserts request is ChatOptions {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    const facts = { field: 'request', value: shownValue(request), remedy: 'Give an object with messages' };
    throw new InputError('INVALID_REQUEST', 'is no request', facts);
  }
  if ('signal' in request) assertSignal(request.signal);
}

/** What the request's own failure to be sent means to its caller. */
export function unsendable(cause: unknown): InputError {
  return new InputError(
    'INVALID_REQUEST',
    'holds something that cannot be sent to another thread',
    {
      field: 'messages',
      value: messageOf(cause),
      remedy: 'Use plain data: text, numbers, lists, bytes',
    },
    cause,
  );
}
