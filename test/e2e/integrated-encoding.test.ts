import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import { inspectModel, Troupe } from '../../src/index.ts';
import { writeIntegratedModel } from '../fixtures/graphs/integrated-model.ts';
import { goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

describe('a model whose decoder takes pixels itself', () => {
  let model: string;

  before(async () => {
    model = await mkdtemp(join(tmpdir(), 'troupe-integrated-'));
    await writeIntegratedModel(await openModelDirectory(PILOT_MODEL), model);
  });
  after(() => rm(model, { recursive: true }));

  it('answers in aggregated mode as its separate parts do', async () => {
    await using troupe = await Troupe.start({ model });
    const asked = goldens.slice(0, 8);
    const answers = await Promise.all(asked.map((one) => troupe.chat({ messages: goldenMessages(one) })));
    assert.deepEqual(
      answers.map(({ tokenIds }) => tokenIds),
      asked.map(({ tokenIds }) => tokenIds),
    );
  });

  it('is refused in disaggregated mode, with the reason and what to do', async () => {
    await assert.rejects(Troupe.start({ model, mode: 'disaggregated' }), {
      name: 'ModelError',
      code: 'MODE_NEEDS_SEPARATE_ENCODER',
      message: /decoder graph takes pixel_values.*aggregated mode/,
    });
  });

  it('is reported by inspection as fit for one mode only', async () => {
    const { encoding, modes, graphs } = await inspectModel({ model });
    assert.equal(encoding, 'integrated');
    assert.equal(modes.aggregated.ok, true);
    assert.equal(modes.disaggregated.ok, false);
    assert.equal(modes.disaggregated.code, 'MODE_NEEDS_SEPARATE_ENCODER');
    assert.deepEqual(
      graphs.map(({ role }) => role),
      ['decoder'],
    );
  });
});
