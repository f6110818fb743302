/** A request to the Responses API, checked and put into the terms of the engine. */

import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { badRequest } from '../openai/api-error.ts';
import { isJsonObject } from '../openai/field-rule.ts';
import { given } from '../translation/checked-body.ts';
import { throughChat } from '../translation/through-chat.ts';
import type { ResponseDetails } from './response-object.ts';
import { responseToChat } from './to-chat-body.ts';

/** What an answer repeats of its request. */
const REPEATED = [
  ...['instructions', 'max_output_tokens', 'max_tool_calls', 'metadata', 'parallel_tool_calls'],
  ...['prompt_cache_key', 'safety_identifier', 'temperature', 'text', 'tool_choice', 'tools'],
  ...['top_logprobs', 'top_p', 'user'],
];

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseResponseRequest(body: unknown, facts: RequestFacts): ServedChat<ResponseDetails> {
  const translated = responseToChat(body);
  const fields = isJsonObject(body) ? given(body) : {};
  checkMetadata(fields.metadata);
  const repeated = REPEATED.flatMap((name): [string, unknown][] =>
    fields[name] === undefined ? [] : [[name, fields[name]]],
  );
  const details = { repeated: Object.fromEntries(repeated), logprobs: translated.body.logprobs === true };
  return throughChat(translated, facts, details);
}

const MOST_PAIRS = 16;
const LONGEST_KEY = 64;
const LONGEST_VALUE = 512;

/** It comes back with each event that has the response, so it has the bounds that OpenAI's has. */
function checkMetadata(metadata: unknown): void {
  if (metadata === undefined) return;
  const pairs = isJsonObject(metadata) ? Object.entries(metadata) : undefined;
  const fits = pairs?.every(
    ([key, value]) => key.length <= LONGEST_KEY && typeof value === 'string' && value.length <= LONGEST_VALUE,
  );
  if (pairs !== undefined && pairs.length <= MOST_PAIRS && fits) return;
  const remedy = `must be at most ${MOST_PAIRS} texts of ${LONGEST_VALUE} characters, by names of ${LONGEST_KEY}`;
  throw badRequest('invalid_value', 'metadata', remedy);
}
