/** How likely tokens were, in the words of OpenAI's chat completions. */
import type { TokenLogprob, TopLogprob } from '../../../actors/generation.ts';

/** @param logprobs absent where they were not asked for */
export function logprobsOf(logprobs: readonly TokenLogprob[] | undefined): object | null {
  return logprobs === undefined ? null : { content: logprobs.map(tokenLogprob), refusal: null };
}

/** One token, as chat completions and responses have it. */
export function tokenLogprob({ top, ...token }: TokenLogprob): object {
  return { ...topLogprob(token), top_logprobs: top.map(topLogprob) };
}

function topLogprob({ text: token, logprob, bytes }: TopLogprob): object {
  return { token, logprob, bytes };
}
