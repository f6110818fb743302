/** A text completion request, checked and put into the terms of the engine. */
import type { RawPrompt } from '../../../actors/generation.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { badRequest } from '../openai/api-error.ts';
import type { ChatDetails } from '../openai/chat-request.ts';
import type { JsonObject } from '../openai/field-rule.ts';
import { FOREIGN_FIELDS } from '../openai/foreign-fields.ts';
import { checkedBody } from '../translation/checked-body.ts';
import { promptThroughChat } from '../translation/through-chat.ts';
import { COMPLETION_FIELDS } from './request-fields.ts';

/** OpenAI's. */
const DEFAULT_MAX_TOKENS = 16;

const { best_of: _best, echo: _echo, add_special_tokens: _special, ...FOREIGN } = FOREIGN_FIELDS;

/** What a completion is shaped by. */
export interface CompletionDetails {
  /** Whether a last chunk has the usage. */
  readonly includeUsage: boolean;
}

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseCompletionRequest(body: unknown, facts: RequestFacts): ServedChat<CompletionDetails> {
  const { prompt, logprobs, add_special_tokens, ...same } = checkedBody(body, COMPLETION_FIELDS, FOREIGN);
  const raw = promptOf(prompt, flag(add_special_tokens, 'add_special_tokens', true));
  const chat: JsonObject = { max_tokens: DEFAULT_MAX_TOKENS, ...same, ...logprobsOf(logprobs) };
  const listed = Array.isArray(prompt) && typeof prompt[0] !== 'number';
  const paths = new Map([
    ['top_logprobs', 'logprobs'],
    ['topLogprobs', 'logprobs'],
    ['prompt', listed ? 'prompt[0]' : 'prompt'],
  ]);
  const details = (read: ChatDetails): CompletionDetails => ({ includeUsage: read.includeUsage });
  return promptThroughChat({ body: chat, paths }, raw, facts, details);
}

function logprobsOf(logprobs: unknown): JsonObject {
  // Clients that chat say false for none.
  if (logprobs === undefined || logprobs === false) return {};
  return { logprobs: true, top_logprobs: logprobs === true ? 0 : logprobs };
}

/** @throws ApiError 400 */
export function promptOf(prompt: unknown, addSpecial: boolean): RawPrompt {
  const list: readonly unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  const [first] = list;
  if (typeof first === 'string' || Array.isArray(first)) {
    if (list.length > 1)
      throw badRequest('unsupported_value', 'prompt', 'may have one prompt; send a request for each');
    return typeof first === 'string'
      ? { text: first, addSpecial, parseSpecial: true }
      : { tokens: tokensOf(first, 'prompt[0]') };
  }
  if (Array.isArray(prompt) && list.length > 0) return { tokens: tokensOf(list, 'prompt') };
  throw badRequest('invalid_type', 'prompt', 'must be a text, or a list of token ids');
}

/** @throws ApiError 400 */
export function tokensOf(tokens: readonly unknown[], path: string): number[] {
  return tokens.map((id, index) => {
    if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) return id;
    throw badRequest('invalid_value', `${path}[${index}]`, 'is no token id');
  });
}

/** @throws ApiError 400 */
export function flag(value: unknown, name: string, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw badRequest('invalid_type', name, 'must be true or false');
}
