import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagesOf } from '../../../actors/families/registry.ts';
import type { ChatMessage } from '../../../actors/generation.ts';
import { preparePrompt } from '../../../actors/processor/prepare-prompt.ts';
import { code } from '../model/support/model-fixture.ts';
import { promptSetup } from '../model/support/prompts.ts';

const { directory, encoder } = await promptSetup();
const model = { directory, images: imagesOf(directory), encoder };
const plan = model.images.plan({ width: 640, height: 480 });
const question: ChatMessage = {
  role: 'user',
  content: [
    { type: 'image', image: 'a.png' },
    { type: 'text', text: 'What is in this image?' },
  ],
};

test('ids are int32 and image tokens are counted', () => {
  const { promptIds, imageTokenCount } = preparePrompt(model, [question], [plan]);
  assert.equal(imageTokenCount, 25);
  assert.equal(promptIds.filter((id) => id === 3).length, 25);
  assert.ok(promptIds.buffer instanceof ArrayBuffer);
});

test('an image token that the tokenizer does not make is the model’s fault', () => {
  const geometry = { ...directory.geometry, imageTokenId: 400 };
  const other = { ...model, directory: { ...directory, geometry } };
  assert.throws(() => preparePrompt(other, [question], [plan]), code('MODEL_UNSUPPORTED'));
});

test('plain text content is one text part', () => {
  const plain = preparePrompt(model, [{ role: 'user', content: 'Hi' }], []);
  const part = preparePrompt(model, [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], []);
  assert.deepEqual(plain, part);
});

test('a typed image token is not counted as an image', () => {
  const typed: ChatMessage = { role: 'user', content: 'What does <image> mean?' };
  assert.equal(preparePrompt(model, [typed], []).imageTokenCount, 0);
});

test('a prompt that leaves no room for an answer is too long, one token less is not', () => {
  const { promptIds } = preparePrompt(model, [question], [plan]);
  const within = (contextLength: number) => ({
    ...model,
    directory: { ...directory, geometry: { ...directory.geometry, contextLength } },
  });
  preparePrompt(within(promptIds.length + 1), [question], [plan]);
  assert.throws(() => preparePrompt(within(promptIds.length), [question], [plan]), code('PROMPT_TOO_LONG'));
  assert.throws(() => preparePrompt(within(20), [question], [plan]), code('PROMPT_TOO_LONG'));
});

test('a text of many megabytes is refused without being encoded', (t) => {
  const encode = t.mock.method(encoder, 'encode');
  const message: ChatMessage = { role: 'user', content: 'a'.repeat(50_000_000) };
  assert.throws(() => preparePrompt(model, [message], []), code('PROMPT_TOO_LONG'));
  assert.equal(encode.mock.callCount(), 0);
});
