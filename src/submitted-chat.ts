/**
 * A caller's request as it is sent to another thread: known fields only, images in a form that can be cloned.
 * What the fields hold is checked by the processor.
 */
import { InputError } from '../actors/errors.ts';
import { isRecord } from '../actors/is-record.ts';
import { shownValue } from '../actors/shown-value.ts';
import type { ToolStyle } from '../actors/tools/tool-style.ts';
import type { ToolDefinition, ToolOptions } from '../actors/tools/tool-types.ts';
import { messageOf } from '../runtime/util/realms.ts';
import { assertSignal } from './caller-input.ts';
import type { ChatOptions } from './chat-types.ts';
import { mapImages } from './map-images.ts';
import type { UnreadChat } from './read-blobs.ts';
import { present, SAMPLING_FIELDS } from './sampling-fields.ts';
import { type AnySchema, jsonSchemaOf } from './schema/any-schema.ts';
import type { Tool } from './schema/tool-arguments.ts';
import { sendableImage } from './sendable-image.ts';
import { submittedTools } from './submitted-tools.ts';

const TOOL_FIELDS = ['toolChoice', 'parallelToolCalls'] as const;

const FIELDS: ReadonlySet<string> = new Set([
  ...SAMPLING_FIELDS,
  'tools',
  ...TOOL_FIELDS,
  'messages',
  'constraint',
  'schema',
  'answerPrefix',
  'signal',
  'timeoutMs',
]);

/**
 * @param toolStyle how the model writes calls
 * @throws InputError `INVALID_REQUEST`, `UNKNOWN_FIELD`, `INVALID_OPTION`, `INVALID_CONTENT`, `INVALID_TOOLS`, `INVALID_SCHEMA`
 */
export function submittedChat(
  request: ChatOptions & { readonly schema?: AnySchema },
  toolStyle: ToolStyle = 'hermes',
): UnreadChat {
  assertRequest(request);
  for (const field of Object.keys(request)) {
    if (FIELDS.has(field) || (field === 'prompt' && isRawPrompt(request.prompt))) continue;
    throw new InputError('UNKNOWN_FIELD', 'is no field of a request', {
      field,
      value: field,
      remedy: `Use one of ${[...FIELDS].join(', ')}`,
    });
  }
  const { messages, prompt } = request;
  // A caller in plain JavaScript may pass anything; what is no list is left to the processor to refuse.
  return {
    messages: Array.isArray(messages) ? mapImages(messages, sendableImage) : (messages as never),
    ...(prompt === undefined ? {} : { prompt }),
    ...present(request, [...SAMPLING_FIELDS, 'answerPrefix']),
    ...submittedTools(
      { ...withJsonSchemas(request.tools), ...present(request, TOOL_FIELDS) },
      toolStyle,
      constraintOf(request),
    ),
  };
}

/** A tool that is none is left to be refused with the others. */
function withJsonSchemas(tools: ChatOptions['tools']): ToolOptions {
  if (tools === undefined) return {};
  if (!Array.isArray(tools)) return { tools: tools as never };
  const converted = tools.map((tool: Tool, index) => {
    if (!isRecord(tool) || tool.parameters === undefined) return tool as ToolDefinition;
    return { ...tool, parameters: jsonSchemaOf(tool.parameters, `tools[${index}].parameters`) };
  });
  return { tools: converted };
}

function constraintOf({ schema, constraint }: ChatOptions & { readonly schema?: AnySchema }) {
  if (schema === undefined) return constraint;
  if (constraint === undefined)
    return { type: 'json_schema', schema: jsonSchemaOf(schema, 'schema') } as const;
  throw new InputError('INVALID_SCHEMA', 'cannot be given beside a constraint', {
    field: 'schema',
    value: shownValue(constraint),
    remedy: 'Give one of them.',
  });
}

/** The server's own, which callers are not told of. */
function isRawPrompt(prompt: unknown): boolean {
  return typeof prompt === 'object' && prompt !== null && ('text' in prompt || 'tokens' in prompt);
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
