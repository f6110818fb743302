/**
 * Texts that no context holds are refused where they are read: a text of 20 MB would otherwise be copied from thread to
 * thread, and lie on each until the collector comes, to be refused by the first one that knows the model's tokens.
 */
import { InputError } from '../../../actors/errors.ts';
import type { ChatRequest } from '../../../actors/generation.ts';

/** No vocabulary has a longer token; what is shorter than that allows is left to those who know it. */
const LONGEST_TOKEN = 1024;

/**
 * @param contextLength tokens
 * @throws InputError PROMPT_TOO_LONG
 */
export function assertMayFit({ messages, prompt }: ChatRequest, contextLength: number): void {
  let characters = prompt !== undefined && 'text' in prompt ? prompt.text.length : 0;
  for (const { content } of messages) {
    if (typeof content === 'string') characters += content.length;
    else for (const part of content) if (part.type === 'text') characters += part.text.length;
  }
  if (characters / LONGEST_TOKEN < contextLength) return;
  throw new InputError('PROMPT_TOO_LONG', `the prompt fills the context of ${contextLength} tokens`, {
    field: prompt === undefined ? 'messages' : 'prompt',
    value: `${characters} characters`,
    remedy: 'Shorten the conversation.',
  });
}
