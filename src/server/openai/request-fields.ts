/**
 * Every field of a chat completion request, and what becomes of it. Nothing is ignored: a field is honoured, or it is
 * accepted where it asks for what is the case anyway, or it is refused by name. `null` is as good as absent.
 * docs/server.md shows this table.
 */
import { badRequest } from './api-error.ts';

export type FieldRule =
  | { readonly kind: 'honoured'; readonly how: string }
  | { readonly kind: 'only'; readonly values: string; accepts(value: unknown): boolean }
  | { readonly kind: 'refused'; readonly why: string };

const honoured = (how: string): FieldRule => ({ kind: 'honoured', how });
const refused = (why: string): FieldRule => ({ kind: 'refused', why });
const only = (values: string, accepts: (value: unknown) => boolean): FieldRule => ({
  kind: 'only',
  values,
  accepts,
});
const oneOf = (...values: readonly unknown[]): FieldRule =>
  only(values.map((value) => JSON.stringify(value)).join(', '), (value) => values.includes(value));

const NO_TOOLS = 'the model calls no tools';
const NO_STORE = 'nothing is stored';
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

export const REQUEST_FIELDS: Readonly<Record<string, FieldRule>> = {
  model: honoured('must be the name of the model served; may be left out'),
  messages: honoured('roles system, developer, user, assistant; parts text and image_url'),
  stream: honoured('true: server-sent events'),
  stream_options: honoured('include_usage; include_obfuscation only as false'),
  max_completion_tokens: honoured('most tokens to generate'),
  max_tokens: honoured('the same, by its older name'),
  temperature: honoured('0 to 2; 0 is greedy. Default: the model’s'),
  top_p: honoured('above 0, up to 1'),
  top_k: honoured('an extension: 0 keeps all'),
  min_p: honoured('an extension: 0 to 1'),
  repetition_penalty: honoured('an extension: from 1e-6 to 1e6, 1 is off'),
  presence_penalty: honoured('-2 to 2'),
  frequency_penalty: honoured('-2 to 2'),
  seed: honoured('a whole number, of which 32 bits count'),
  stop: honoured('a string, or up to 16 of them'),
  user: honoured('written into the request log'),
  safety_identifier: honoured('written into the request log'),
  n: oneOf(1),
  logprobs: oneOf(false),
  top_logprobs: oneOf(0),
  logit_bias: only('{}', isEmpty),
  response_format: only(
    '{"type":"text"}',
    (value) => typeof value === 'object' && value !== null && 'type' in value && value.type === 'text',
  ),
  modalities: only('["text"]', (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text'),
  tools: only('[]', (value) => Array.isArray(value) && value.length === 0),
  tool_choice: oneOf('none'),
  functions: only('[]', (value) => Array.isArray(value) && value.length === 0),
  function_call: oneOf('none'),
  store: oneOf(false),
  service_tier: oneOf('auto', 'default'),
  reasoning_effort: oneOf('none'),
  parallel_tool_calls: refused(NO_TOOLS),
  web_search_options: refused(NO_TOOLS),
  audio: refused('the model makes no sound'),
  prediction: refused('there is no speculative decoding'),
  metadata: refused(NO_STORE),
  prompt_cache_key: refused('prompts are cached by their content alone'),
  prompt_cache_options: refused('prompts are cached by their content alone'),
  prompt_cache_retention: refused('prompts are cached by their content alone'),
  moderation: refused('nothing is moderated'),
  verbosity: refused('say so in the prompt'),
};

export type RequestBody = Readonly<Record<string, unknown>>;

/**
 * The fields that are there and honoured.
 * @throws ApiError 400 naming the field
 */
export function checkedFields(body: unknown): RequestBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('invalid_body', 'body', 'is no JSON object');
  }
  const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined);
  for (const [name, value] of given) checkField(name, value);
  return Object.fromEntries(given);
}

function checkField(name: string, value: unknown): void {
  const rule = Object.hasOwn(REQUEST_FIELDS, name) ? REQUEST_FIELDS[name] : undefined;
  if (rule === undefined) throw badRequest('unknown_parameter', shortened(name), 'is no field of this API');
  if (rule.kind === 'refused')
    throw badRequest('unsupported_parameter', name, `is not supported: ${rule.why}`);
  if (rule.kind === 'only' && !rule.accepts(value)) {
    throw badRequest('unsupported_value', name, `is supported only as ${rule.values}`);
  }
}

const shortened = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 63)}…`);
