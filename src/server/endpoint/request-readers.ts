/** The endpoints by name, and what reads their bodies: on the main thread, or on that of large bodies. */
import { parseCountRequest, parseMessagesRequest } from '../anthropic/messages-request.ts';
import { parseCompletionRequest } from '../completions/completion-request.ts';
import { parseChatRequest } from '../openai/chat-request.ts';
import { parseResponseRequest } from '../responses/response-request.ts';
import { parseDetokenizeRequest, parseTokenizeRequest } from '../tokenize/tokenize-request.ts';
import type { RequestFacts, ServedChat } from './served-chat.ts';

/** @throws ApiError naming the field as the client wrote it; InputError */
type RequestReader = (body: unknown, facts: RequestFacts) => ServedChat;

export const REQUEST_READERS = {
  chat: parseChatRequest,
  responses: parseResponseRequest,
  messages: parseMessagesRequest,
  count_tokens: parseCountRequest,
  completions: parseCompletionRequest,
  tokenize: parseTokenizeRequest,
  detokenize: parseDetokenizeRequest,
} as const satisfies Readonly<Record<string, RequestReader>>;

export type EndpointName = keyof typeof REQUEST_READERS;

/** The `details` of an endpoint's requests. */
export type DetailsOf<Name extends EndpointName> = ReturnType<(typeof REQUEST_READERS)[Name]>['details'];
