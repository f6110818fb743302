import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHfTokenizer } from '../../../actors/model/hf-tokenizer.ts';
import { TokenDecoder } from '../../../actors/model/token-decoder.ts';
import { TextTokenizer } from '../../../actors/model/tokenizer.ts';
import { parseTokenizerJson } from '../../../actors/model/tokenizer-json.ts';
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

test('the bytes of tokens are those of the text, also where each is a part of a character', () => {
  const text = 'naïve 東京 🎭 \u0000\uFEFF end';
  const tokens = tokenizer.encodePlain(text, true).map((id) => decoder.describe(id));
  assert.equal(Buffer.from(tokens.flatMap(({ bytes }) => [...bytes])).toString(), text);
  assert.ok(tokens.some((token) => token.text === '\uFFFD' && token.bytes.length === 1));
});

test('a special token is described by its name and has no bytes; an unknown id has neither', () => {
  assert.deepEqual(decoder.describe(1), { id: 1, text: '<|im_start|>', bytes: [] });
  assert.deepEqual(decoder.describe(99_999), { id: 99_999, text: '', bytes: [] });
});

test('tokens of a SentencePiece vocabulary are described with their space, and single bytes as bytes', () => {
  const vocab = { '<unk>': 0, '▁Hello': 1, '<0xE2>': 2, '▁▁': 3, é: 4 };
  const json = parseTokenizerJson(
    JSON.stringify({
      added_tokens: [{ id: 5, content: '▁kept' }],
      normalizer: null,
      post_processor: null,
      model: { type: 'BPE', vocab, merges: [], byte_fallback: true, unk_token: '<unk>' },
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
    }),
    'tokenizer.json',
  );
  const sentencePiece = new TokenDecoder(createHfTokenizer(json, {}, 'tokenizer.json'), json);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((id) => Buffer.from(sentencePiece.describe(id).bytes).toString('latin1')),
    [' Hello', '\xE2', '  ', '\xC3\xA9', '\xE2\x96\x81kept'],
  );
  assert.equal(sentencePiece.describe(2).text, '\uFFFD');
});
