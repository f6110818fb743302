/** What an answer took, in the words of OpenAI's chat completions. */
import type { Usage } from '../../../actors/generation.ts';

export function usageOf(usage: Usage): object {
  const { promptTokens, imageTokens, cachedTokens, completionTokens } = usage;
  const { acceptedDraftTokens = 0, rejectedDraftTokens = 0 } = usage;
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
      accepted_prediction_tokens: acceptedDraftTokens,
      rejected_prediction_tokens: rejectedDraftTokens,
    },
  };
}
