/**
 * A prompt that goes to the model as it is, without the chat template: text, whose control tokens are the caller's to write,
 * or ids. There are no images in it, and so no image tokens.
 */
import { InputError } from '../errors.ts';
import type { RawPrompt } from '../generation.ts';
import { countTokens } from '../model/count-tokens.ts';
import { shownValue } from '../shown-value.ts';
import { assertRoom, type PreparedPrompt } from './prepare-prompt.ts';
import type { PromptModel } from './prompt-model.ts';

/** @throws InputError PROMPT_TOO_LONG, INVALID_CONTENT */
export function prepareRawPrompt(model: PromptModel, prompt: RawPrompt): PreparedPrompt {
  const { geometry } = model.directory;
  const ids = rawTokens(model, prompt);
  if (ids.length === 0) throw invalid('has no tokens', 0, 'Give some text.');
  assertRoom(ids.length, 0, geometry, 'prompt');
  const images = countTokens(ids, geometry.imageTokenId);
  if (images > 0) {
    throw invalid('has image tokens without images', images, 'Ask about images with messages.');
  }
  const promptIds = Int32Array.from(ids);
  return { promptIds, positions: model.images.positions?.(promptIds, []), imageTokenCount: 0 };
}

/**
 * The tokens of a prompt, as many as there are; what is certainly longer than any context is not encoded.
 * @throws InputError PROMPT_TOO_LONG, INVALID_CONTENT
 */
export function rawTokens({ directory, tokenizer }: PromptModel, prompt: RawPrompt): readonly number[] {
  if ('tokens' in prompt) {
    assertTokens({ tokenizer }, prompt.tokens, 'prompt');
    return prompt.tokens;
  }
  const text = prompt.text.toWellFormed();
  const least = Math.floor(text.length / tokenizer.longestPiece);
  assertRoom(least, 0, directory.geometry, 'prompt');
  return tokenizer.encodeText(text, prompt.addSpecial, prompt.parseSpecial);
}

/** @throws InputError INVALID_CONTENT naming the first id that the vocabulary does not have */
export function assertTokens(
  { tokenizer }: Pick<PromptModel, 'tokenizer'>,
  tokens: readonly number[],
  field: string,
): void {
  const unknown = tokens.findIndex((id) => !Number.isSafeInteger(id) || tokenizer.pieceOf(id) === undefined);
  if (unknown === -1) return;
  throw new InputError('INVALID_CONTENT', 'is no token of the model', {
    field: `${field}[${unknown}]`,
    value: shownValue(tokens[unknown]),
    remedy: 'Give ids of the model’s tokens.',
  });
}

function invalid(problem: string, value: number, remedy: string): InputError {
  return new InputError('INVALID_CONTENT', problem, { field: 'prompt', value, remedy });
}
