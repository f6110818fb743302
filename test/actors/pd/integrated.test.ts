import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ModelDirectory } from '../../../actors/model/model-directory.ts';
import { openModelDirectory } from '../../../actors/open-model-directory.ts';
import { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { writeIntegratedModel } from '../../fixtures/graphs/integrated-model.ts';
import { type Golden, goldens } from '../../support/golden.ts';
import { goldenPixels, pilotDirectory, SIDE } from './support/pilot.ts';
import { CountedImage, envelope, RecordingSink, runToEnd } from './support/requests.ts';

describe('a decoder that encodes images itself', () => {
  let folder: string;
  let directory: ModelDirectory;
  let engine: PdEngine;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-integrated-'));
    await writeIntegratedModel(await pilotDirectory(), folder);
    directory = await openModelDirectory(folder);
    engine = await PdEngine.load(directory, { threads: 1, maxRunning: 8, maxWaiting: 64 });
  });
  after(async () => {
    await engine.dispose();
    await rm(folder, { recursive: true });
  });

  async function image(golden: Golden): Promise<CountedImage> {
    return new CountedImage(await goldenPixels(golden), [1, 3, SIDE, SIDE], 25);
  }

  it('is recognised as integrated', () => {
    assert.equal(directory.encoding, 'integrated');
  });

  it('answers all goldens token for token, in one batch', async () => {
    const all = goldens;
    const sinks: RecordingSink[] = [];
    for (const golden of all) {
      const sink = new RecordingSink();
      sinks.push(sink);
      engine.submit({ envelope: envelope(golden.promptIds), images: [await image(golden)] }, sink);
    }
    await runToEnd(engine);
    assert.deepEqual(
      sinks.map((sink) => sink.tokenIds),
      all.map((golden) => golden.tokenIds),
    );
  });

  it('refuses a prompt whose image tokens and tiles do not match, and releases the pixels', async () => {
    const [golden] = goldens;
    assert.ok(golden);
    const pixels = await image(golden);
    const sink = new RecordingSink();
    engine.submit({ envelope: envelope([...golden.promptIds, 3]), images: [pixels] }, sink);
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['IMAGE_TOKENS_MISMATCH']);
    assert.equal(pixels.releases, 1);
  });
});
