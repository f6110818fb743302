/** Prompts of a family's golden answers, made without running the model. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ChatMessage } from '../../../../actors/generation.ts';
import { readImage } from '../../../../actors/images/image-decode.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { type PreparedPrompt, preparePrompt } from '../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel, type PromptModel } from '../../../../actors/processor/prompt-model.ts';

const FAMILIES = new URL('../../../fixtures/families/', import.meta.url);

export interface GoldenAnswer {
  readonly case: string;
  /** Files in the fixtures' folder. */
  readonly images: readonly string[];
  readonly question: string;
  readonly input_ids: readonly number[];
  readonly greedy: readonly number[];
  /** Least distance of the two likeliest logits of a step. */
  readonly smallest_gap: number;
}

export function familyModel(name: string): string {
  return fileURLToPath(new URL(name, FAMILIES));
}

export function goldenAnswers(name: string): readonly GoldenAnswer[] {
  return JSON.parse(readFileSync(new URL(`${name}/golden.json`, FAMILIES), 'utf8'));
}

export function goldenImage(file: string): URL {
  return new URL(file, FAMILIES);
}

/** The images, then the question. */
export function goldenQuestion({ images, question }: GoldenAnswer): ChatMessage[] {
  const pictures = images.map((file) => ({ type: 'image' as const, image: goldenImage(file) }));
  return [{ role: 'user', content: [...pictures, { type: 'text', text: question }] }];
}

/**
 * Every golden prompt of a family must come out id by id.
 *
 * @param beforeTemplate what the chat template is to write first
 */
export async function assertGoldenPrompts(name: string): Promise<void> {
  const model = await loadPromptModel(await openModelDirectory(familyModel(name)));
  const answers = goldenAnswers(name);
  assert.ok(answers.length > 0);
  for (const one of answers) {
    const { promptIds } = await preparedGolden(model, one);
    assert.deepEqual([...promptIds], one.input_ids, one.case);
  }
}

async function preparedGolden(model: PromptModel, one: GoldenAnswer): Promise<PreparedPrompt> {
  const limits = { maxPixels: 1e8, maxSide: 1e5 };
  const plans = await Promise.all(
    one.images.map(async (file) =>
      model.images.plan(await readImage(readFileSync(goldenImage(file)), file, limits)),
    ),
  );
  return preparePrompt(model, goldenQuestion(one), plans);
}
