/**
 * Every field of requests to /tokenize and /detokenize, in the forms of vLLM (`prompt` or `messages`) and of llama.cpp
 * (`content`), and what becomes of it. docs/server.md shows these tables.
 */
import { accepted, emptyObject, type FieldRules, honoured, oneOf, refused } from '../openai/field-rule.ts';

const MODEL: FieldRules = { model: honoured('the name of a model that is served; left out, the first') };

export const PROMPT_FIELDS: FieldRules = {
  ...MODEL,
  prompt: honoured('a text; control tokens in it are what they spell'),
  add_special_tokens: honoured('whether the tokenizer’s own tokens are put around it. Default: true'),
  return_token_strs: honoured('true: `token_strs` has each token as the vocabulary spells it'),
};

export const CONVERSATION_FIELDS: FieldRules = {
  ...MODEL,
  messages: honoured('a conversation, as in chat completions, images too'),
  tools: honoured('as in chat completions'),
  return_token_strs: honoured('true: `token_strs` has each token as the vocabulary spells it'),
  add_generation_prompt: oneOf(true),
  continue_final_message: oneOf(false),
  add_special_tokens: oneOf(false),
  chat_template: refused('the model has its own'),
  chat_template_kwargs: emptyObject,
  mm_processor_kwargs: emptyObject,
};

export const CONTENT_FIELDS: FieldRules = {
  ...MODEL,
  content: honoured('a text'),
  add_special: honoured('whether the tokenizer’s own tokens are put around it. Default: false'),
  parse_special: honoured('whether control tokens in it are what they spell. Default: true'),
  with_pieces: honoured('true: each token with its text, or with bytes where that is no whole character'),
};

export const DETOKENIZE_FIELDS: FieldRules = {
  ...MODEL,
  tokens: honoured('ids of tokens'),
  skip_special_tokens: oneOf(false),
  request_id: accepted('a name of the request elsewhere'),
};
