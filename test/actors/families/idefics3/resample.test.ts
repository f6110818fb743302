import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { settingsSchema } from '../../../../actors/families/idefics3/config.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { familyModel } from '../support/prompt-ids.ts';

const LANCZOS = 1;
const BICUBIC = 3;

/** The filter that a model resizes with whose files say Lanczos. */
async function filterOf(own: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-resample-'));
  try {
    await cp(familyModel('idefics3'), folder, { recursive: true });
    const file = join(folder, 'preprocessor_config.json');
    await rm(file);
    if (own)
      await writeFile(file, JSON.stringify({ resample: LANCZOS, max_image_size: { longest_edge: 56 } }));
    return settingsSchema.parse((await openModelDirectory(folder)).settings).preprocessor.resample;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("an Idefics3 model's filter", () => {
  it('is the one that its own file names', async () => assert.equal(await filterOf(true), LANCZOS));

  it("is the one that transformers 5 resizes with, of settings in transformers 5's place", async () =>
    assert.equal(await filterOf(false), BICUBIC));
});
