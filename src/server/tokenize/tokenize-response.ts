/** The tokens of a text in the shapes of vLLM and llama.cpp. */
import type { TokenizedPrompt } from '../../../actors/tokenized-prompt.ts';
import type { TokenizeDetails } from './tokenize-request.ts';

export function tokenizeResponse(
  { ids, pieces }: TokenizedPrompt,
  { form, pieces: wanted }: TokenizeDetails,
  contextLength: number,
): object {
  const tokens = [...ids];
  if (form === 'content') {
    return { tokens: wanted === undefined ? tokens : tokens.map((id, at) => ({ id, piece: pieces[at] })) };
  }
  return {
    count: tokens.length,
    max_model_len: contextLength,
    tokens,
    token_strs: wanted === undefined ? null : pieces,
  };
}
