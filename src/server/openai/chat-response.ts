/** Answers in the shape of OpenAI's chat completions, whole and in chunks. */
import type { Usage } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';

export interface AnswerHead {
  /** `chatcmpl-…` */
  readonly id: string;
  /** Unix time, seconds. */
  readonly created: number;
  readonly model: string;
}

/** What this server adds to the API: where the time went and what travelled. */
export function troupeDetails({ timings, mode, bytesBetweenActors }: ChatResult): object {
  return { timings, mode, bytes_between_actors: bytesBetweenActors };
}

export function usageOf({ promptTokens, imageTokens, cachedTokens, completionTokens }: Usage): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: {
      image_tokens: imageTokens,
      text_tokens: promptTokens - imageTokens,
      cached_tokens: cachedTokens,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

export function completion(head: AnswerHead, result: ChatResult): object {
  const message = { role: 'assistant', content: result.text, refusal: null };
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: result.finishReason }],
    usage: usageOf(result.usage),
    troupe: troupeDetails(result),
  };
}

/** @param includeUsage whether the client asked for a last chunk with usage; all others then say null */
export function chunks(head: AnswerHead, includeUsage: boolean) {
  const common = { ...head, object: 'chat.completion.chunk' };
  const usage = includeUsage ? { usage: null } : {};
  const choice = (delta: object, finish_reason: string | null) => ({
    ...common,
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...usage,
  });
  return {
    first: () => choice({ role: 'assistant', content: '' }, null),
    text: (content: string) => choice({ content }, null),
    last: (result: ChatResult) => ({ ...choice({}, result.finishReason), troupe: troupeDetails(result) }),
    usage: (result: ChatResult) => ({ ...common, choices: [], usage: usageOf(result.usage) }),
  };
}
