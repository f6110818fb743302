/** Requests for the tokens of a text, or the text of tokens, checked and put into the terms of the engine. */
import type { RawPrompt } from '../../../actors/generation.ts';
import type { TokenPieces } from '../../../actors/tokenized-prompt.ts';
import { flag, tokensOf } from '../completions/completion-request.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { badRequest } from '../openai/api-error.ts';
import { type FieldRules, isGiven, isJsonObject, type JsonObject } from '../openai/field-rule.ts';
import { checkedBody } from '../translation/checked-body.ts';
import { promptThroughChat, throughChat } from '../translation/through-chat.ts';
import { CONTENT_FIELDS, CONVERSATION_FIELDS, DETOKENIZE_FIELDS, PROMPT_FIELDS } from './request-fields.ts';

/** In whose way the answer is written, and what is told of each token beside its id. */
export interface TokenizeDetails {
  readonly form: 'prompt' | 'content';
  readonly pieces: TokenPieces | undefined;
}

const NO_PATHS: ReadonlyMap<string, string> = new Map();

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseTokenizeRequest(body: unknown, facts: RequestFacts): ServedChat<TokenizeDetails> {
  const form = isJsonObject(body) ? FORMS.find(({ by }) => isGiven(body[by])) : undefined;
  if (form === undefined) {
    throw badRequest('invalid_body', 'prompt', 'has to be there, or messages, or content');
  }
  return form.read(checkedBody(body, form.rules, {}), facts);
}

interface Form {
  /** The field that tells it from the others. */
  readonly by: string;
  readonly rules: FieldRules;
  read(fields: JsonObject, facts: RequestFacts): ServedChat<TokenizeDetails>;
}

const FORMS: readonly Form[] = [
  {
    by: 'messages',
    rules: CONVERSATION_FIELDS,
    read: ({ model, messages, tools, return_token_strs }, facts) => {
      const body = present({ model, messages, tools });
      return throughChat({ body, paths: NO_PATHS }, facts, vllm(return_token_strs));
    },
  },
  {
    by: 'prompt',
    rules: PROMPT_FIELDS,
    read: ({ model, prompt, add_special_tokens, return_token_strs }, facts) => {
      const addSpecial = flag(add_special_tokens, 'add_special_tokens', true);
      const raw = { text: textOf(prompt, 'prompt'), addSpecial, parseSpecial: true };
      return read(model, raw, facts, vllm(return_token_strs));
    },
  },
  {
    by: 'content',
    rules: CONTENT_FIELDS,
    read: ({ model, content, add_special, parse_special, with_pieces }, facts) => {
      const addSpecial = flag(add_special, 'add_special', false);
      const parseSpecial = flag(parse_special, 'parse_special', true);
      const raw = { text: textOf(content, 'content'), addSpecial, parseSpecial };
      const pieces = flag(with_pieces, 'with_pieces', false) ? 'text' : undefined;
      return read(model, raw, facts, { form: 'content', pieces }, new Map([['prompt', 'content']]));
    },
  },
];

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseDetokenizeRequest(body: unknown, facts: RequestFacts): ServedChat<undefined> {
  const { model, tokens } = checkedBody(body, DETOKENIZE_FIELDS, {});
  if (!Array.isArray(tokens)) throw badRequest('invalid_type', 'tokens', 'must be a list of token ids');
  return read(model, { tokens: tokensOf(tokens, 'tokens') }, facts, undefined);
}

function read<Details>(
  model: unknown,
  prompt: RawPrompt,
  facts: RequestFacts,
  details: Details,
  paths = NO_PATHS,
): ServedChat<Details> {
  return promptThroughChat({ body: present({ model }), paths }, prompt, facts, () => details);
}

function vllm(strings: unknown): TokenizeDetails {
  return { form: 'prompt', pieces: flag(strings, 'return_token_strs', false) ? 'spelled' : undefined };
}

function textOf(text: unknown, field: string): string {
  if (typeof text === 'string') return text;
  throw badRequest('invalid_type', field, 'must be a string');
}

function present(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
