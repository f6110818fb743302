import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openModelDirectory } from '../../../actors/open-model-directory.ts';
import { familyModel } from './support/prompt-ids.ts';

const FAMILIES = [
  ...['gemma3', 'idefics3', 'llama4', 'llava', 'llava_onevision', 'mistral3', 'paligemma'],
  ...['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl'],
];
/** In no vocabulary of the fixtures. */
const BEYOND = 99_999;

describe('an image token beyond the vocabulary', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-image-token-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const family of FAMILIES) {
    it(`is refused of ${family}`, async () => {
      const path = await mkdtemp(join(folder, `${family}-`));
      for (const name of await readdir(familyModel(family))) {
        if (name !== 'config.json') await symlink(join(familyModel(family), name), join(path, name));
      }
      const config = JSON.parse(await readFile(join(familyModel(family), 'config.json'), 'utf8'));
      const named = { image_token_index: BEYOND, image_token_id: BEYOND };
      await writeFile(join(path, 'config.json'), JSON.stringify({ ...config, ...named }));
      await assert.rejects(openModelDirectory(path), {
        code: 'MODEL_UNSUPPORTED',
        message: /image token 99999 is not in the vocabulary/,
      });
    });
  }
});
