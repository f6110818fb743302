/** Requests to Anthropic's Messages API, checked and put into the terms of the engine. */
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { throughChat } from '../translation/through-chat.ts';
import { countToChat, messagesToChat } from './to-chat-body.ts';

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseMessagesRequest(body: unknown, facts: RequestFacts): ServedChat<undefined> {
  return throughChat(messagesToChat(body), facts, undefined);
}

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseCountRequest(body: unknown, facts: RequestFacts): ServedChat<undefined> {
  return throughChat(countToChat(body), facts, undefined);
}
