/** What turns a conversation into a prompt, of one model. */
import type { ImageFamily } from '../families/family.ts';
import { imagesOf } from '../families/registry.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { PromptEncoder } from '../model/prompt-encoder.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { marksCalls } from '../tools/call-marks.ts';

export interface PromptModel {
  readonly directory: ModelDirectory;
  readonly images: ImageFamily;
  readonly encoder: PromptEncoder;
  /** Texts of control tokens that an answer shows, or has where there are tools. */
  readonly shownControls: readonly string[];
  readonly tokenizer: TextTokenizer;
}

/** @throws ModelError when the tokenizer or the chat template cannot be used */
export async function loadPromptModel(directory: ModelDirectory): Promise<PromptModel> {
  const images = imagesOf(directory);
  const tokenizer = await TextTokenizer.load(directory);
  const { placeholder, placeholderInText, completePrompt } = images;
  const encoder = new PromptEncoder(directory, tokenizer, placeholder, placeholderInText, completePrompt);
  const { shown, contents } = tokenizer.controlTokens;
  const shownControls = [...new Set([...shown, ...contents.filter(marksCalls)])];
  return { directory, images, encoder, tokenizer, shownControls };
}
