/** What no process with a device that is kept can show: the GPU has none between one actor and its successor. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { it } from 'node:test';
import { Troupe } from '../../../../src/index.ts';
import { familyModel } from '../../../families/support/family-goldens.ts';
import { assertGolden, someOfEachKind } from '../../family-answers.ts';

/** Small, and nothing of it is tried at start. */
const FAMILY = 'gemma3';

it('the successor of a crashed actor answers on a device of its own', async () => {
  const model = await familyModel(FAMILY);
  const [text] = someOfEachKind(FAMILY, 1);
  assert(text?.kind === 'text alone');
  {
    await using troupe = await Troupe.start({
      model: model.path,
      mode: 'disaggregated',
      pd: { device: 'webgpu' },
    });
    await troupe.chat({ messages: [{ role: 'user', content: 'Hello?' }], maxTokens: 1 });
    const up = new Promise<void>((resolve) => troupe.events.once('actor:up', () => resolve()));
    assert(troupe.crash('pd/0'));
    await up;
    await assertGolden(troupe, model, text.golden);
    assert.equal((await troupe.stats()).gpu?.liveBuffers, 0);
  }
  await rm(model.path, { recursive: true });
});
