import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { TokenDecoder } from '../../actors/model/token-decoder.ts';
import { TextTokenizer } from '../../actors/model/tokenizer.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import { generatedModel, VERSION } from '../../bench/generated-model/generate.ts';
import { ATTENTION_KINDS, type AttentionKind } from '../../bench/generated-model/shape.ts';
import { type ChatResult, Troupe } from '../../src/index.ts';

const MAX_TOKENS = 24;

describe('a generated model', () => {
  let cache: string;
  const models: Record<string, string> = {};

  before(async () => {
    cache = await mkdtemp(join(tmpdir(), 'troupe-generated-'));
    // As a process leaves it that is killed while it makes the model.
    const { pid } = spawnSync(process.execPath, ['--version']);
    await mkdir(join(cache, `smolvlm-256m-1-layers-gqa-v${VERSION}.${pid}.draft`));
    for (const attention of ATTENTION_KINDS) {
      models[attention] = await generatedModel({ attention, layers: 1, cache });
    }
  });
  after(() => rm(cache, { recursive: true, force: true }));

  const answers = new Map<string, Promise<ChatResult>>();

  /** Each engine is started once. */
  function answer(attention: AttentionKind, dtype: 'fp32' | 'q4'): Promise<ChatResult> {
    const key = `${attention} ${dtype}`;
    const known = answers.get(key) ?? ask(models[attention] ?? '', dtype);
    answers.set(key, known);
    return known;
  }

  for (const dtype of ['fp32', 'q4'] as const) {
    it(`answers the same with both kinds of attention in ${dtype}`, async () => {
      const fused = await answer('gqa', dtype);
      const plain = await answer('concat', dtype);
      assert.deepEqual(fused.tokenIds, plain.tokenIds);
    });

    it(`goes on until it is told to stop, in words of its own, in ${dtype}`, async () => {
      const { finishReason, tokenIds, text } = await answer('gqa', dtype);
      assert.equal(finishReason, 'length');
      assert.equal(tokenIds.length, MAX_TOKENS);
      assert.match(text, /^zq[a-z]*( zq[a-z]*)*$/);
      assert.ok(new Set(tokenIds).size > MAX_TOKENS / 4, `repeats itself: ${text}`);
    });
  }

  it('reads an answer that comes back in a prompt as the tokens it was made of', async () => {
    const { tokenIds } = await answer('gqa', 'fp32');
    const directory = await openModelDirectory(models.gqa ?? '');
    const [tokenizer, decoder] = [await TextTokenizer.load(directory), await TokenDecoder.load(directory)];
    assert.deepEqual(tokenizer.encodePlain(decoder.decode(tokenIds), false), tokenIds);
  });

  it('has a token for each row of its table', async () => {
    const directory = await openModelDirectory(models.gqa ?? '');
    const { model } = JSON.parse(await readFile(directory.tokenizerPath, 'utf8'));
    const ids = Object.values<number>(model.vocab).sort((a, b) => a - b);
    assert.deepEqual(
      ids.slice(-3),
      [-3, -2, -1].map((last) => directory.geometry.vocabSize + last),
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it('is made once, and leaves nothing half made behind', async () => {
    assert.equal(await generatedModel({ layers: 1, cache }), models.gqa);
    const folders = await readdir(cache);
    assert.equal(folders.length, ATTENTION_KINDS.length, folders.join(', '));
  });
});

async function ask(model: string, dtype: 'fp32' | 'q4'): Promise<ChatResult> {
  await using troupe = await Troupe.start({ model, dtype });
  return await troupe.chat({
    messages: [{ role: 'user', content: 'Is there a red ring?' }],
    maxTokens: MAX_TOKENS,
  });
}
