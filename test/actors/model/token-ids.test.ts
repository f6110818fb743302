import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readTokenIds } from '../../../actors/model/token-ids.ts';
import { code } from './support/model-fixture.ts';

async function tokenizer(t: TestContext, json: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-tokens-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'tokenizer.json');
  await writeFile(path, JSON.stringify(json));
  return path;
}

const added_tokens = [{ id: 9, content: '</s>' }];
const names = ['</s>', 'a', 'toString', 'b'];

test('added tokens and pieces are found by name, others are left out', async (t) => {
  const path = await tokenizer(t, { added_tokens, model: { vocab: { '</s>': 2, a: 0 } } });
  assert.deepEqual(await readTokenIds({ path, names }), { '</s>': 9, a: 0 });
});

test('pieces of a unigram model are found by their place', async (t) => {
  const path = await tokenizer(t, {
    added_tokens,
    model: {
      vocab: [
        ['x', 0],
        ['a', -1],
      ],
    },
  });
  assert.deepEqual(await readTokenIds({ path, names }), { '</s>': 9, a: 1 });
});

test('a file that is no tokenizer is corrupt', async (t) => {
  await assert.rejects(readTokenIds({ path: await tokenizer(t, []), names }), code('MODEL_FILE_CORRUPT'));
});
