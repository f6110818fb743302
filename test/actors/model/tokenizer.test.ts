import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TokenDecoder } from '../../../actors/model/token-decoder.ts';
import { TextTokenizer } from '../../../actors/model/tokenizer.ts';
import { openModelDirectory } from '../../../actors/open-model-directory.ts';
import { code, modelFixture, separateGraphs } from './support/model-fixture.ts';
import { promptSetup } from './support/prompts.ts';

const { tokenizer, decoder } = await promptSetup();

test('decoding leaves special tokens out', () => {
  const ids = tokenizer.encodePlain('The circle.', false);
  assert.equal(decoder.decode([1, ...ids, 6]), 'The circle.');
});

test('decoding nothing, or special tokens alone, gives no text', () => {
  assert.equal(decoder.decode([]), '');
  assert.equal(decoder.decode([1, 6]), '');
});

test('spaces before punctuation are kept', () => {
  assert.equal(decoder.decode(tokenizer.encodePlain('one , two .', false)), 'one , two .');
});

test('any text survives encode and decode', () => {
  const text = 'naïve 東京 🎭 \u0000\t\r\n <image> \uFEFF end';
  assert.equal(decoder.decode(tokenizer.encodePlain(text, true)), text);
});

test('the end tokens are those of the model', () => {
  assert.deepEqual(tokenizer.eosTokenIds, [6]);
});

test('a tokenizer file that is no tokenizer is corrupt', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  const directory = await openModelDirectory(path);
  for (const content of [
    '{',
    '{"model": {}}',
    '{"added_tokens": [], "model": {"type": "BPE", "vocab": {}}}',
  ]) {
    await writeFile(join(path, 'tokenizer.json'), content);
    await assert.rejects(TextTokenizer.load(directory), code('MODEL_FILE_CORRUPT'));
    await assert.rejects(TokenDecoder.load(directory), code('MODEL_FILE_CORRUPT'));
  }
});
