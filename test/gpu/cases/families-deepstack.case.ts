/** Qwen3-VL, whose images are added behind several layers: refused where embeddings would stay on the GPU, answered where they do not. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Troupe } from '../../../src/index.ts';
import { type FamilyModelFolder, familyModel } from '../../families/support/family-goldens.ts';
import { assertGolden, someOfEachKind } from '../family-answers.ts';

describe('Qwen3-VL on WebGPU', () => {
  let model: FamilyModelFolder;
  before(async () => {
    model = await familyModel('qwen3_vl');
  });
  after(() => rm(model.path, { recursive: true }));

  it('is refused in aggregated mode when it starts, with the reason', async () => {
    await assert.rejects(Troupe.start({ model: model.path, device: 'webgpu' }), (error: Error) => {
      assert.equal('code' in error && error.code, 'MODEL_UNSUPPORTED');
      assert.match(error.message, /embeddings of several layers cannot stay on a GPU.*device cpu/s);
      return true;
    });
  });

  for (const role of ['encoder', 'pd'] as const) {
    it(`gives the golden answers in disaggregated mode, ${role} on the GPU`, async () => {
      const options = { mode: 'disaggregated', [role]: { device: 'webgpu' } } as const;
      await using troupe = await Troupe.start({ ...options, model: model.path });
      const asked = someOfEachKind('qwen3_vl', 1);
      await Promise.all(asked.map(({ golden }) => assertGolden(troupe, model, golden)));
    });
  }
});
