/**
 * Fields that other servers add to OpenAI's API (vLLM, SGLang, llama.cpp, Ollama, OpenRouter, LiteLLM and more), and that
 * clients made for those send along with values that change nothing. They are no fields of this API: they are taken with
 * such a value, and refused with any other.
 */
import {
  accepted,
  emptyList,
  emptyObject,
  type FieldRules,
  honoured,
  isGiven,
  isJsonObject,
  oneOf,
  only,
} from './field-rule.ts';

const NO_REASONING = 'the model does not reason';
const A_NAME = 'a name of the request elsewhere';
const BESIDE_THE_ANSWER = 'it would be told beside the answer; `troupe.timings` has what is known';
const KEPT_LOADED = 'the model stays loaded';

/** OpenRouter's: what asks for no reasoning, or says where it would be shown. */
const asksForNoReasoning = (value: unknown): boolean =>
  isJsonObject(value) &&
  Object.entries(value).every(
    ([name, one]) =>
      !isGiven(one) ||
      name === 'exclude' ||
      (name === 'enabled' && one === false) ||
      (name === 'effort' && one === 'none'),
  );

export const FOREIGN_FIELDS: FieldRules = {
  // How tokens are chosen: off.
  best_of: oneOf(1),
  use_beam_search: oneOf(false),
  num_beams: oneOf(1),
  length_penalty: oneOf(1),
  repeat_penalty: oneOf(1),
  repeat_last_n: accepted('the window of repeat_penalty'),
  typical_p: oneOf(1),
  typ_p: oneOf(1),
  tfs_z: oneOf(1),
  top_a: oneOf(0),
  top_n_sigma: oneOf(-1, 0),
  min_keep: oneOf(0),
  mirostat: oneOf(0),
  mirostat_tau: accepted('a part of mirostat'),
  mirostat_eta: accepted('a part of mirostat'),
  dynatemp_range: oneOf(0),
  dynatemp_exponent: accepted('a part of dynatemp_range'),
  xtc_probability: oneOf(0),
  xtc_threshold: accepted('a part of xtc_probability'),
  dry_multiplier: oneOf(0),
  dry_base: accepted('a part of dry_multiplier'),
  dry_allowed_length: accepted('a part of dry_multiplier'),
  dry_penalty_last_n: accepted('a part of dry_multiplier'),
  dry_sequence_breakers: accepted('a part of dry_multiplier'),
  logits_processors: emptyList,
  bad_words: emptyList,
  // What the answer has to be; one of them, beside no other response_format.
  grammar: honoured('GBNF; empty for none'),
  json_schema: honoured('a JSON schema'),
  ebnf: honoured('the same as grammar'),
  regex: honoured('the whole answer matches it'),
  structured_outputs: honoured('one of json, regex, choice, grammar, and json_object as true'),
  guided_json: honoured('a JSON schema'),
  guided_regex: honoured('the whole answer matches it'),
  guided_choice: honoured('the answer is one of a list'),
  guided_grammar: honoured('the same as grammar'),
  guided_decoding_backend: accepted('there is one'),
  // When the answer ends.
  min_tokens: oneOf(0),
  ignore_eos: oneOf(false),
  stop_token_ids: emptyList,
  include_stop_str_in_output: oneOf(false),
  t_max_predict_ms: oneOf(0),
  // What the prompt is made of.
  echo: oneOf(false),
  raw: oneOf(false),
  add_generation_prompt: oneOf(true),
  continue_final_message: oneOf(false),
  add_special_tokens: oneOf(false),
  chat_template_kwargs: emptyObject,
  mm_processor_kwargs: emptyObject,
  documents: emptyList,
  data_sources: emptyList,
  image_data: emptyList,
  transforms: emptyList,
  plugins: emptyList,
  safe_prompt: oneOf(false),
  // Reasoning.
  think: oneOf(false),
  enable_thinking: oneOf(false),
  thinking: only('{"type":"disabled"}', (value) => isJsonObject(value) && value.type === 'disabled'),
  reasoning: only('{"enabled":false}, {"effort":"none"}', asksForNoReasoning),
  include_reasoning: accepted(NO_REASONING),
  reasoning_format: accepted(NO_REASONING),
  separate_reasoning: accepted(NO_REASONING),
  stream_reasoning: accepted(NO_REASONING),
  // What the answer tells beside its text.
  skip_special_tokens: oneOf(true),
  spaces_between_special_tokens: oneOf(true),
  return_token_ids: oneOf(false),
  return_tokens_as_token_ids: oneOf(false),
  return_tokens: oneOf(false),
  continuous_usage_stats: oneOf(false),
  return_progress: accepted(BESIDE_THE_ANSWER),
  timings_per_token: accepted(BESIDE_THE_ANSWER),
  post_sampling_probs: oneOf(false),
  n_probs: oneOf(0),
  response_fields: emptyList,
  usage: honoured('{"include": true} is what stream_options.include_usage is'),
  // Where and when it is computed.
  cache_prompt: accepted('prompts are cached by their content alone'),
  id_slot: accepted('a place in the batch is a place'),
  backend_sampling: accepted('where tokens are chosen makes no difference'),
  priority: accepted('all requests are served alike'),
  keep_alive: accepted(KEPT_LOADED),
  ttl: accepted(KEPT_LOADED),
  models: emptyList,
  provider: emptyObject,
  lora: emptyList,
  // Names, and what was meant for the client itself.
  request_id: accepted(A_NAME),
  session_id: accepted(A_NAME),
  chat_id: accepted(A_NAME),
  trace: accepted(A_NAME),
  options: emptyObject,
  extra_body: emptyObject,
  extra_headers: emptyObject,
  extra_query: emptyObject,
};
