/** Every field of a text completion request, and what becomes of it. docs/server.md shows this table. */
import { accepted, type FieldRules, honoured, oneOf, refused } from '../openai/field-rule.ts';
import { SAMPLING_FIELDS } from '../openai/sampling-fields.ts';

const CACHED_BY_CONTENT = 'prompts are cached by their content alone';

export const COMPLETION_FIELDS: FieldRules = {
  model: honoured('the name of a model that is served; left out, the first'),
  prompt: honoured(
    'a text or the ids of its tokens, or a list with one of them; control tokens in it are what they spell',
  ),
  stream: honoured('true: server-sent events'),
  stream_options: honoured('include_usage; include_obfuscation and continuous_usage_stats only as false'),
  max_tokens: honoured('most tokens to generate. Default: 16'),
  ...SAMPLING_FIELDS,
  logit_bias: honoured('-100 to 100, by token id'),
  logprobs: honoured('0 to 20: the likeliest tokens at each place, and the one that was chosen'),
  n: honoured('1 to 16 answers'),
  seed: honoured('a whole number, of which 32 bits count'),
  stop: honoured('a string, or up to 16 of them'),
  user: honoured('written into the request log'),
  response_format: honoured('an extension: as in chat completions'),
  add_special_tokens: honoured('an extension: false leaves the tokenizer’s own tokens away'),
  echo: oneOf(false),
  best_of: oneOf(1),
  suffix: refused('the model does not fill in'),
  store: accepted('nothing is stored'),
  metadata: accepted('nothing is stored'),
  prompt_cache_key: accepted(CACHED_BY_CONTENT),
};
