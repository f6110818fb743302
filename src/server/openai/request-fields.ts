/**
 * Every field of a chat completion request in OpenAI's API, and what becomes of it. docs/server.md shows this table and
 * that of other servers' fields.
 */
import { badRequest } from './api-error.ts';
import {
  accepted,
  emptyList,
  type FieldRules,
  honoured,
  isGiven,
  isJsonObject,
  type JsonObject,
  objection,
  oneOf,
  only,
  refused,
  ruleOf,
  shortened,
} from './field-rule.ts';
import { FOREIGN_FIELDS } from './foreign-fields.ts';
import { SAMPLING_FIELDS } from './sampling-fields.ts';

const NOT_STORED = 'nothing is stored';
const CACHED_BY_CONTENT = 'prompts are cached by their content alone';

export const REQUEST_FIELDS: FieldRules = {
  model: honoured('the name of a model that is served; left out, the first'),
  messages: honoured('roles system, developer, user, assistant; parts text, image_url and file'),
  stream: honoured('true: server-sent events'),
  stream_options: honoured('include_usage; include_obfuscation and continuous_usage_stats only as false'),
  max_completion_tokens: honoured('most tokens to generate'),
  max_tokens: honoured('the same, by its older name'),
  ...SAMPLING_FIELDS,
  seed: honoured('a whole number, of which 32 bits count'),
  stop: honoured('a string, or up to 16 of them'),
  user: honoured('written into the request log'),
  safety_identifier: honoured('written into the request log'),
  metadata: accepted(NOT_STORED),
  store: accepted(NOT_STORED),
  service_tier: accepted('all requests are served alike'),
  prompt_cache_key: accepted(CACHED_BY_CONTENT),
  prompt_cache_options: accepted(CACHED_BY_CONTENT),
  prompt_cache_retention: accepted(CACHED_BY_CONTENT),
  prediction: accepted('it could only make the same answer come sooner'),
  n: honoured('1 to 16 answers'),
  logprobs: honoured('true: how likely each token was'),
  top_logprobs: honoured('0 to 20 likeliest tokens beside each; needs logprobs'),
  logit_bias: honoured('token ids of the model, each with -100 to 100'),
  response_format: honoured('text, json_object or json_schema; the answer is always held to it'),
  tools: honoured('at most 128 functions'),
  tool_choice: honoured('none, auto, required, a function by its name, or allowed_tools'),
  parallel_tool_calls: honoured('false: one call at most'),
  modalities: only('["text"]', (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text'),
  functions: emptyList,
  function_call: oneOf('none', 'auto'),
  reasoning_effort: oneOf('none'),
  verbosity: oneOf('medium'),
  web_search_options: refused('nothing is searched'),
  audio: refused('the model makes no sound'),
  moderation: refused('nothing is moderated'),
};

/**
 * The fields that are there.
 * @throws ApiError 400 naming the field
 */
export function checkedFields(body: unknown): JsonObject {
  if (!isJsonObject(body)) throw badRequest('invalid_body', 'body', 'is no JSON object');
  const given = Object.entries(body).filter(([, value]) => isGiven(value));
  for (const [name, value] of given) checkField(name, value);
  return Object.fromEntries(given);
}

function checkField(name: string, value: unknown): void {
  const rule = ruleOf(REQUEST_FIELDS, name);
  if (rule === undefined) {
    checkForeignField(name, value);
    return;
  }
  const problem = objection(rule, value);
  if (problem === undefined) return;
  throw badRequest(rule.kind === 'refused' ? 'unsupported_parameter' : 'unsupported_value', name, problem);
}

function checkForeignField(name: string, value: unknown): void {
  const rule = ruleOf(FOREIGN_FIELDS, name);
  if (rule === undefined) throw badRequest('unknown_parameter', shortened(name), 'is no field of this API');
  const problem = objection(rule, value);
  if (problem === undefined) return;
  throw badRequest('unknown_parameter', name, `is no field of OpenAI’s API, and ${problem}`);
}
