/**
 * Every field of a message and of its parts, and what becomes of it. Clients send an earlier answer back as they have
 * kept it: with fields of the answer, with empty lists of what it did not have, with ids of their own.
 */
import { badRequest } from './api-error.ts';
import {
  accepted,
  emptyList,
  type FieldRules,
  honoured,
  isGiven,
  type JsonObject,
  objection,
  oneOf,
  refused,
  ruleOf,
  shortened,
} from './field-rule.ts';

const OLD_CALLS = 'calls are in tool_calls, and their results in messages with the role tool';
const OF_THE_ANSWER = 'told about an earlier answer, not a part of it';
const EARLIER_REASONING = 'earlier reasoning is not shown to the model again';
const A_NAME = 'a name or a time that the client keeps';
const OF_THE_CLIENT = 'what the client keeps for itself';
const CACHED_BY_CONTENT = 'prompts are cached by their content alone';

/** Of an answer, as it is echoed: beside its content, and by some clients in each part of that. */
const ECHOED: FieldRules = {
  id: accepted(A_NAME),
  timestamp: accepted(A_NAME),
  created_at: accepted(A_NAME),
  createdAt: accepted(A_NAME),
  message_id: accepted(A_NAME),
  messageId: accepted(A_NAME),
  traceId: accepted(A_NAME),
  agent: accepted(A_NAME),
  opts: accepted(OF_THE_CLIENT),
  extra_fields: accepted(OF_THE_CLIENT),
  model: accepted(OF_THE_ANSWER),
  created: accepted(OF_THE_ANSWER),
  status: accepted(OF_THE_ANSWER),
  index: accepted(OF_THE_ANSWER),
  finish_reason: accepted(OF_THE_ANSWER),
  logprobs: accepted(OF_THE_ANSWER),
  usage: accepted(OF_THE_ANSWER),
  metadata: accepted(OF_THE_ANSWER),
  annotations: accepted(OF_THE_ANSWER),
  citations: accepted(OF_THE_ANSWER),
  sources: accepted(OF_THE_ANSWER),
  parsed: accepted(OF_THE_ANSWER),
  provider_specific_fields: accepted(OF_THE_ANSWER),
  reasoning: accepted(EARLIER_REASONING),
  reasoning_content: accepted(EARLIER_REASONING),
  reasoning_details: accepted(EARLIER_REASONING),
  thinking: accepted(EARLIER_REASONING),
  thinking_blocks: accepted(EARLIER_REASONING),
  cache_control: accepted(CACHED_BY_CONTENT),
  prompt_cache_breakpoint: accepted(CACHED_BY_CONTENT),
  refusal: oneOf(''),
  function_call: refused(OLD_CALLS),
  audio: refused('the model makes no sound'),
};

export const MESSAGE_FIELDS: FieldRules = {
  role: honoured('system, developer (the same), user, assistant, tool'),
  content: honoured('text, or a list of parts; of an assistant also null'),
  name: accepted('chat templates have no place for it'),
  tool_calls: honoured('of an assistant; empty of any other'),
  tool_call_id: honoured('of a tool: the id of the call whose result it is'),
  ...ECHOED,
  type: oneOf('message'),
  prefix: oneOf(false),
  partial: oneOf(false),
  images: emptyList,
  files: emptyList,
};

export const TEXT_PART_FIELDS: FieldRules = {
  type: honoured('text'),
  text: honoured('what is said; may be empty'),
  role: accepted('that of the message counts'),
  ...ECHOED,
  tool_calls: emptyList,
};

const OF_A_PICTURE: FieldRules = {
  id: accepted(A_NAME),
  uuid: accepted(A_NAME),
  cache_control: accepted(CACHED_BY_CONTENT),
  prompt_cache_breakpoint: accepted(CACHED_BY_CONTENT),
};

export const IMAGE_PART_FIELDS: FieldRules = {
  type: honoured('image_url, in user messages'),
  image_url: honoured('an object, or the url alone'),
  ...OF_A_PICTURE,
};

export const IMAGE_URL_FIELDS: FieldRules = {
  url: honoured('https:, data: and, where allowed, http: or file:'),
  detail: oneOf('auto', 'low', 'high', 'original'),
  format: accepted('the bytes say it'),
};

export const FILE_PART_FIELDS: FieldRules = {
  type: honoured('file, in user messages'),
  file: honoured('a picture'),
  ...OF_A_PICTURE,
};

export const FILE_FIELDS: FieldRules = {
  file_data: honoured('a data: URL of type image/…'),
  filename: accepted('the bytes say what it is'),
  format: accepted('the bytes say it'),
  file_id: refused('no files are kept'),
};

export const TOOL_CALL_FIELDS: FieldRules = {
  id: honoured('names the call in the message with its result'),
  type: oneOf('function'),
  function: honoured('name and arguments'),
  index: accepted(OF_THE_ANSWER),
  extra_content: accepted(OF_THE_ANSWER),
  provider_specific_fields: accepted(OF_THE_ANSWER),
};

export const CALLED_FUNCTION_FIELDS: FieldRules = {
  name: honoured('of the tool'),
  arguments: honoured('JSON of an object, as text or as it is'),
  parsed_arguments: accepted(OF_THE_ANSWER),
};

/** @throws ApiError 400 naming the first field that is not taken */
export function checkFieldsOf(record: JsonObject, rules: FieldRules, path: string): void {
  for (const [name, value] of Object.entries(record)) {
    if (!isGiven(value)) continue;
    const rule = ruleOf(rules, name);
    const problem = rule === undefined ? 'is not supported' : objection(rule, value);
    if (problem === undefined) continue;
    const code = rule === IMAGE_URL_FIELDS.detail ? 'unsupported_value' : 'unsupported_parameter';
    throw badRequest(code, `${path}.${shortened(name)}`, problem);
  }
}
