/** Requests of other APIs are read by the reader of chat completions, and what it finds wrong is told in their words. */
import type { RawPrompt } from '../../../actors/generation.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { ApiError } from '../openai/api-error.ts';
import { type ChatDetails, parseChatRequest } from '../openai/chat-request.ts';
import { fieldOfRequest } from '../openai/field-names.ts';
import type { JsonObject } from '../openai/field-rule.ts';
import { toApiError } from '../openai/to-api-error.ts';

export interface TranslatedRequest {
  /** Of a chat completion. */
  readonly body: JsonObject;
  /** From the beginnings of paths in it to those of the client's request. */
  readonly paths: ReadonlyMap<string, string>;
}

/** @throws ApiError 400 or 404 naming the field as the client wrote it */
export function throughChat<Details>(
  { body, paths }: TranslatedRequest,
  facts: RequestFacts,
  details: Details,
): ServedChat<Details> {
  try {
    const request = parseChatRequest(body, facts);
    const placed = [...request.clientFields].map(
      ([ours, chat]) => [ours, fieldOfRequest(chat, paths)] as const,
    );
    return { ...request, clientFields: new Map([...paths, ...placed]), details };
  } catch (error) {
    throw renamed(toApiError(error), paths);
  }
}

/** In the place of a conversation where a prompt is none. */
const NOTHING_SAID = [{ role: 'user', content: '' }] as const;

/**
 * The same for a prompt that is no conversation.
 * @throws ApiError 400 or 404 naming the field as the client wrote it
 */
export function promptThroughChat<Details>(
  { body, paths }: TranslatedRequest,
  prompt: RawPrompt,
  facts: RequestFacts,
  detailsOf: (read: ChatDetails) => Details,
): ServedChat<Details> {
  try {
    const request = parseChatRequest({ ...body, messages: NOTHING_SAID }, facts);
    const chat = { ...request.chat, messages: [], prompt };
    return { ...request, chat, clientFields: paths, details: detailsOf(request.details) };
  } catch (error) {
    throw renamed(toApiError(error), paths);
  }
}

/** The same failure with the field as the client wrote it. */
function renamed(error: ApiError, paths: ReadonlyMap<string, string>): ApiError {
  const { param } = error.facts;
  const theirs = param === undefined ? undefined : fieldOfRequest(param, paths);
  if (param === undefined || theirs === undefined || theirs === param) return error;
  const message = error.message.replace(param, () => theirs);
  return new ApiError(message, { ...error.facts, param: theirs }, error.cause);
}
