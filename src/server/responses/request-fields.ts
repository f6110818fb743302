/** Every field of a request to OpenAI's Responses API, and what becomes of it. docs/server.md shows this table. */
import {
  accepted,
  emptyList,
  type FieldRules,
  honoured,
  isGiven,
  isJsonObject,
  oneOf,
  only,
  refused,
} from '../openai/field-rule.ts';

const NOT_STORED = 'nothing is stored: send the earlier items with input';
const CACHED_BY_CONTENT = 'prompts are cached by their content alone';

/** What asks for no reasoning, or says how it would be told about. */
const asksForNoReasoning = (value: unknown): boolean =>
  isJsonObject(value) &&
  Object.entries(value).every(
    ([name, one]) => !isGiven(one) || REASONING_TOLD.has(name) || (name === 'effort' && one === 'none'),
  );
const REASONING_TOLD: ReadonlySet<string> = new Set(['summary', 'generate_summary', 'context']);

export const RESPONSE_FIELDS: FieldRules = {
  model: honoured('the name of a model that is served; left out, the first'),
  input: honoured('text, or a list of items: messages, function_call, function_call_output'),
  instructions: honoured('a system message before the input'),
  stream: honoured('true: server-sent events'),
  stream_options: honoured('include_obfuscation only as false'),
  max_output_tokens: honoured('most tokens to generate'),
  temperature: honoured('0 to 2; 0 is greedy. Default: the model’s'),
  top_p: honoured('0 to 1; 0 keeps the likeliest token alone'),
  top_k: honoured('an extension: 0 or -1 keeps all'),
  min_p: honoured('an extension: 0 to 1'),
  repetition_penalty: honoured('an extension: from 1e-6 to 1e6, 1 is off'),
  presence_penalty: honoured('an extension: -2 to 2'),
  frequency_penalty: honoured('an extension: -2 to 2'),
  seed: honoured('an extension: a whole number, of which 32 bits count'),
  stop: honoured('an extension: a string, or up to 16 of them'),
  text: honoured('format: text, json_object or json_schema; verbosity only as "medium"'),
  tools: honoured('functions; tools that OpenAI runs are refused'),
  tool_choice: honoured('"none", "auto", "required", a function, or allowed_tools'),
  parallel_tool_calls: honoured('false: one call at most'),
  top_logprobs: honoured('0 to 20'),
  include: honoured('message.output_text.logprobs; of the others there is nothing to include'),
  metadata: honoured('echoed'),
  user: honoured('written into the request log'),
  safety_identifier: honoured('written into the request log'),
  store: accepted('nothing is stored, and the answer says so: `store` is false there'),
  service_tier: accepted('all requests are served alike'),
  prompt_cache_key: accepted(CACHED_BY_CONTENT),
  prompt_cache_options: accepted(CACHED_BY_CONTENT),
  prompt_cache_retention: accepted(CACHED_BY_CONTENT),
  max_tool_calls: accepted('it counts calls of tools that OpenAI runs'),
  access_programs: accepted('it grants rights at OpenAI'),
  reasoning: only('{"effort":"none"}', asksForNoReasoning),
  truncation: oneOf('disabled'),
  background: oneOf(false),
  context_management: emptyList,
  image: only('{"context_compression":"auto"}', keepsImages),
  previous_response_id: refused(NOT_STORED),
  conversation: refused(NOT_STORED),
  prompt: refused('no prompts are stored'),
  moderation: refused('nothing is moderated'),
};

function keepsImages(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    Object.entries(value).every(
      ([name, one]) =>
        !isGiven(one) || (name === 'context_compression' && (one === 'auto' || one === 'disabled')),
    )
  );
}
