import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Troupe } from '../../../src/index.ts';
import { goldenMessages, goldens } from '../../support/golden.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const ARRANGEMENTS = [
  { encoder: 'webgpu', pd: 'cpu' },
  { encoder: 'cpu', pd: 'webgpu' },
] as const;

for (const { encoder, pd } of ARRANGEMENTS) {
  describe(`the encoder on ${encoder} and PD on ${pd}`, () => {
    it('give the reference answers, and leave no buffer behind', async () => {
      await using troupe = await Troupe.start({
        model: PILOT_MODEL,
        mode: 'disaggregated',
        encoder: { device: encoder },
        pd: { device: pd },
      });
      const asked = goldens.slice(0, 4);
      const answers = await Promise.all(asked.map((one) => troupe.chat({ messages: goldenMessages(one) })));
      assert.deepEqual(
        answers.map(({ tokenIds }) => tokenIds),
        asked.map(({ tokenIds }) => tokenIds),
      );
      const { gpu } = await troupe.stats();
      assert.equal(gpu?.liveBuffers, 0);
      assert((gpu?.deviceToHostBytes ?? 0) > 0);
    });
  });
}
