import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import { ConstraintEngine } from '../../../actors/constraint/constraint-engine.ts';
import { ConstraintVocabulary } from '../../../actors/constraint/matcher/constraint-vocabulary.ts';
import { tokenTexts } from '../../../actors/constraint/matcher/token-texts.ts';
import { createHfTokenizer } from '../../../actors/model/hf-tokenizer.ts';
import { readTokenizer } from '../../../actors/model/tokenizer-file.ts';
import { parseTokenizerJson, type TokenizerJson } from '../../../actors/model/tokenizer-json.ts';
import { has } from './support/embedded-model.ts';

const utf8 = new TextDecoder();

/** As Gemma, Llama 2 and their like have it: `▁` for a space, bytes where there is no piece. */
const SENTENCE_PIECE = parseTokenizerJson(
  JSON.stringify({
    added_tokens: [
      { id: 0, content: '<unk>', special: true },
      { id: 1, content: '</s>', special: true },
    ],
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    model: {
      type: 'BPE',
      byte_fallback: true,
      unk_token: '<unk>',
      merges: [],
      vocab: {
        '<unk>': 0,
        '</s>': 1,
        '▁{': 2,
        '"': 3,
        '{"': 4,
        a: 5,
        '▁a': 6,
        ':': 7,
        '1': 8,
        '}': 9,
        '<0xC3>': 10,
        '<0xA9>': 11,
        '▁▁': 12,
      },
    },
  }),
  'tokenizer.json',
);

function matcherFor(json: TokenizerJson, schema: Record<string, unknown>) {
  return new ConstraintEngine(new ConstraintVocabulary(json, [1])).matcher(
    compileConstraint({ type: 'json_schema', schema }),
  );
}

for (const model of [
  'models/default',
  'test/fixtures/pilot-model',
  'test/fixtures/families/paligemma',
  'test/fixtures/families/llava',
]) {
  test(`${model}: the bytes of tokens are what the tokenizer decodes`, async () => {
    const path = new URL(`../../../${model}/tokenizer.json`, import.meta.url).pathname;
    const json = await readTokenizer(path);
    const tokenizer = createHfTokenizer(json, {}, path);
    const texts = tokenTexts(json);
    let compared = 0;
    for (const [id, text] of texts.entries()) {
      const decoded =
        text === undefined ? undefined : tokenizer.decode([id], { clean_up_tokenization_spaces: false });
      if (decoded === undefined || decoded.includes('\uFFFD')) continue;
      assert.equal(utf8.decode(text), decoded);
      compared++;
    }
    assert.ok(compared > 200, `${compared}`);
  });
}

test('pieces with a mark for the space, and bytes', () => {
  const texts = tokenTexts(SENTENCE_PIECE).map((text) => text && utf8.decode(text));
  assert.deepEqual(texts.slice(0, 10), [undefined, undefined, ' {', '"', '{"', 'a', ' a', ':', '1', '}']);
  assert.deepEqual(tokenTexts(SENTENCE_PIECE).slice(10, 12), [Uint8Array.of(0xc3), Uint8Array.of(0xa9)]);
});

test('an answer may begin with the space that a tokenizer puts before a word', () => {
  const schema = {
    type: 'object',
    properties: { a: { const: 1 } },
    required: ['a'],
    additionalProperties: false,
  };
  const matcher = matcherFor(SENTENCE_PIECE, schema);
  assert.deepEqual(
    [2, 4, 12].map((token) => has(matcher.mask(), token)),
    [true, true, false],
  );
  matcher.accept(2);
  assert.deepEqual(matcher.forced(), [3, 5, 3, 7, 8, 9, 1]);
});

test('a character is spelled in bytes where there is no piece for it', () => {
  const matcher = matcherFor(SENTENCE_PIECE, { const: 'é' });
  assert.deepEqual(matcher.forced(), [3, 10, 11, 3, 1]);
});

test('text that the vocabulary cannot spell is refused', () => {
  const matcher = matcherFor(SENTENCE_PIECE, { const: 'z' });
  matcher.accept(3);
  assert.throws(() => matcher.mask(), { code: 'CONSTRAINT_UNSUPPORTED', message: /cannot spell/ });
});

test('word pieces begin with a space unless they go on', () => {
  const json = parseTokenizerJson(
    JSON.stringify({
      decoder: { type: 'WordPiece', prefix: '##' },
      model: { vocab: { hello: 0, '##s': 1 } },
    }),
    'tokenizer.json',
  );
  assert.deepEqual(
    tokenTexts(json).map((text) => text && utf8.decode(text)),
    [' hello', 's'],
  );
});
