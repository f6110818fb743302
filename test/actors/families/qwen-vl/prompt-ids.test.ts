import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { ImagePlan } from '../../../../actors/families/family.ts';
import type { ChatMessage, ContentPart } from '../../../../actors/generation.ts';
import { readImage } from '../../../../actors/images/image-decode.ts';
import { TextTokenizer } from '../../../../actors/model/tokenizer.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { preparePrompt } from '../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel, type PromptModel } from '../../../../actors/processor/prompt-model.ts';
import { FAMILIES, fixture } from './support/golden.ts';

interface Case {
  readonly case: string;
  readonly images: readonly string[];
  readonly question: string;
  readonly input_ids: readonly number[];
}

/** @param chatTemplate in the place of the fixture's */
async function promptModel(family: string, chatTemplate?: string): Promise<PromptModel> {
  const opened = await openModelDirectory(fixture(family));
  return loadPromptModel(chatTemplate === undefined ? opened : { ...opened, chatTemplate });
}

async function planOf({ images }: PromptModel, picture: string): Promise<ImagePlan> {
  const size = { maxPixels: 1e6, maxSide: 1e4 };
  return images.plan(await readImage(new Uint8Array(await readFile(fixture(picture))), 'image', size));
}

const text = (said: string): ContentPart => ({ type: 'text', text: said });
const image: ContentPart = { type: 'image', image: 'a.png' };
const user = (...content: ContentPart[]): ChatMessage => ({ role: 'user', content });

for (const family of FAMILIES) {
  const model = await promptModel(family);
  const cases: Case[] = JSON.parse(await readFile(fixture(family, 'golden.json'), 'utf8'));
  describe(`prompts of ${family} have the ids of the reference`, () => {
    for (const { case: name, images, question, input_ids } of cases) {
      test(name, async () => {
        const plans = await Promise.all(images.map((picture) => planOf(model, picture)));
        const asked = user(...images.map(() => image), text(question));
        const { promptIds, positions } = preparePrompt(model, [asked], plans);
        assert.deepEqual([...promptIds], input_ids);
        assert.equal(positions?.ids.length, 3 * promptIds.length);
      });
    }
  });
}

/** As published models write it: a system message where there is none, parts in their order, pictures that may be numbered. */
const PUBLISHED = `{% set pictures = namespace(value=0) %}{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' or 'image' in part or 'image_url' in part %}{% set pictures.value = pictures.value + 1 %}{% if add_vision_id %}Picture {{ pictures.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

describe('with a published template', async () => {
  const model = await promptModel('qwen2_vl', PUBLISHED);
  const tokenizer = await TextTokenizer.load(model.directory);
  /** Ids of a prompt as it is written down, with `n×` image tokens for each image. */
  const idsOf = (written: string): number[] => {
    const expanded = written.replaceAll(/(\d+)×/g, (_, count) => '<|image_pad|>'.repeat(Number(count)));
    return tokenizer.controlTokens
      .split(expanded)
      .flatMap((part) => (part.kind === 'control' ? [part.id] : tokenizer.encodePlain(part.text, false)));
  };
  const system = '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n';
  const picture = (tokens: number) => `<|vision_start|>${tokens}×<|vision_end|>`;
  const answer = '<|im_start|>assistant\n';
  const plan = (width: number, height: number) => model.images.plan({ width, height });

  test('images stand where they are among the text', () => {
    const asked = user(text('A '), image, text(' and '), image, text(' are what?'));
    const { promptIds } = preparePrompt(model, [asked], [plan(56, 56), plan(84, 56)]);
    const written = `A ${picture(4)} and ${picture(6)} are what?`;
    assert.deepEqual([...promptIds], idsOf(`${system}<|im_start|>user\n${written}<|im_end|>\n${answer}`));
  });

  test('several turns, each with its images, lie one behind the other', () => {
    const turns: ChatMessage[] = [
      user(image, text('What?')),
      { role: 'assistant', content: 'A cat.' },
      user(text('And this? '), image),
    ];
    const { promptIds, positions } = preparePrompt(model, turns, [plan(56, 84), plan(56, 56)]);
    const said = [
      `<|im_start|>user\n${picture(6)}What?<|im_end|>\n`,
      '<|im_start|>assistant\nA cat.<|im_end|>\n',
      `<|im_start|>user\nAnd this? ${picture(4)}<|im_end|>\n`,
    ];
    assert.deepEqual([...promptIds], idsOf(`${system}${said.join('')}${answer}`));
    // Three rows of two tokens take three positions, two rows take two.
    assert.equal(positions?.next, promptIds.length - 3 - 2);
  });

  test('text alone has positions 0, 1, 2 … in all three rows', () => {
    const { promptIds, positions } = preparePrompt(model, [user(text('Hello'))], []);
    const row = Array.from(promptIds.keys());
    assert.deepEqual(positions, { ids: Int32Array.from([...row, ...row, ...row]), next: row.length });
  });

  test('what spells an image token in a message is text', () => {
    const asked = user(text('What is <|image_pad|>?'), image);
    const { promptIds, imageTokenCount } = preparePrompt(model, [asked], [plan(56, 56)]);
    assert.equal(imageTokenCount, 4);
    assert.equal(promptIds.filter((id) => id === model.directory.geometry.imageTokenId).length, 4);
  });
});
