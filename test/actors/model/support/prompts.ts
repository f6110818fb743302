/** The default model's tokenizer and prompt encoder, and variants of them made for a test. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TemplateMessage } from '../../../../actors/model/chat-template.ts';
import type { ModelDirectory } from '../../../../actors/model/model-directory.ts';
import { PromptEncoder } from '../../../../actors/model/prompt-encoder.ts';
import { TokenDecoder } from '../../../../actors/model/token-decoder.ts';
import { TextTokenizer } from '../../../../actors/model/tokenizer.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';
import { modelFixture, separateGraphs } from './model-fixture.ts';

export interface PromptSetup {
  readonly directory: ModelDirectory;
  readonly tokenizer: TextTokenizer;
  readonly decoder: TokenDecoder;
  readonly encoder: PromptEncoder;
}

export async function promptSetup(directory?: ModelDirectory): Promise<PromptSetup> {
  const model = directory ?? (await openModelDirectory(PILOT_MODEL));
  const tokenizer = await TextTokenizer.load(model);
  const decoder = await TokenDecoder.load(model);
  return { directory: model, tokenizer, decoder, encoder: new PromptEncoder(model, tokenizer, '<image>') };
}

/** The default model with another chat template. */
export async function withTemplate(chatTemplate: string): Promise<PromptSetup> {
  return promptSetup({ ...(await openModelDirectory(PILOT_MODEL)), chatTemplate });
}

interface TokenizerFile {
  added_tokens: Record<string, unknown>[];
  pre_tokenizer: unknown;
  post_processor: unknown;
  model: { vocab: Record<string, number>; ignore_merges?: boolean };
}

/** The default model with a changed tokenizer.json, in a directory of its own. */
export async function withTokenizer(
  t: TestContext,
  change: (file: TokenizerFile) => void,
): Promise<PromptSetup> {
  const path = await modelFixture(t, separateGraphs());
  const file: TokenizerFile = JSON.parse(await readFile(join(path, 'tokenizer.json'), 'utf8'));
  change(file);
  await writeFile(join(path, 'tokenizer.json'), JSON.stringify(file));
  return promptSetup(await openModelDirectory(path));
}

export function addedToken(
  id: number,
  content: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id,
    content,
    special: true,
    lstrip: false,
    rstrip: false,
    single_word: false,
    normalized: false,
    ...more,
  };
}

/** `<row_r_col_c>` as added tokens from id 459 on, as larger models have them. */
export function addRowTokens(file: TokenizerFile): void {
  for (let row = 1; row <= 4; row++) {
    for (let col = 1; col <= 4; col++) {
      file.added_tokens.push(addedToken(459 + (row - 1) * 4 + col - 1, `<row_${row}_col_${col}>`));
    }
  }
}

/** A user message of these text parts. */
export function user(...texts: string[]): TemplateMessage {
  return { role: 'user', content: texts.map((text) => ({ type: 'text', text })) };
}
