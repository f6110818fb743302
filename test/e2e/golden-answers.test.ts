import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MODES, Troupe } from '../../src/index.ts';
import { golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

for (const mode of MODES) {
  describe(`${mode} mode`, () => {
    let troupe: Troupe;

    before(async () => {
      troupe = await Troupe.start({ model: PILOT_MODEL, mode });
    });
    after(() => troupe.stop());

    it('gives the reference answer to every golden question, token for token', async () => {
      for (const one of goldens) {
        const { tokenIds, text, finishReason } = await troupe.chat({ messages: goldenMessages(one) });
        assert.deepEqual(tokenIds, one.tokenIds, `${one.image}: ${one.question}`);
        assert.equal(text, one.greedy);
        assert.equal(finishReason, 'stop');
      }
    });

    it('gives 32 concurrent requests each the very answer that it gives alone', async () => {
      const asked = goldens.slice(0, 32);
      const answers = await Promise.all(asked.map((one) => troupe.chat({ messages: goldenMessages(one) })));
      assert.deepEqual(
        answers.map(({ tokenIds }) => tokenIds),
        asked.map(({ tokenIds }) => tokenIds),
      );
    });

    it('counts prompt, image, cached and completion tokens', async () => {
      await troupe.clearCaches();
      const one = golden(5);
      const { usage } = await troupe.chat({ messages: goldenMessages(one) });
      assert.deepEqual(usage, {
        promptTokens: one.promptIds.length,
        imageTokens: one.promptIds.filter((id) => id === 3).length,
        cachedTokens: 0,
        completionTokens: one.tokenIds.length,
      });
    });

    it('reports when each stage took its time', async () => {
      await troupe.clearCaches();
      const { timings } = await troupe.chat({ messages: goldenMessages(golden(9)) });
      assert(timings.preprocessMs > 0);
      assert(timings.encodeMs > 0);
      assert(timings.prefillMs > 0);
      assert(timings.interTokenMs > 0);
      assert(timings.timeToFirstTokenMs >= timings.preprocessMs + timings.encodeMs + timings.prefillMs);
      assert(timings.totalMs >= timings.timeToFirstTokenMs);
    });

    it('hands pixels over by reference', async () => {
      await troupe.clearCaches();
      const { bytesBetweenActors } = await troupe.chat({ messages: goldenMessages(golden(0)) });
      assert.deepEqual(bytesBetweenActors.pixels, { moved: 3 * 80 * 80 * 4, copied: 0 });
    });
  });
}

describe('image embeddings', () => {
  it('reach PD by reference, without a copy, in disaggregated mode', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, mode: 'disaggregated' });
    const { bytesBetweenActors } = await troupe.chat({ messages: goldenMessages(golden(0)) });
    assert.deepEqual(bytesBetweenActors.embeddings, { moved: 25 * 128 * 4, copied: 0 });
    const { arenas } = await troupe.stats();
    assert.equal(
      arenas.find(({ name }) => name === 'embeddings')?.tensors,
      1,
      'kept by the cache, in shared memory',
    );
  });

  it('are handed to no other actor in aggregated mode', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, mode: 'aggregated' });
    const { bytesBetweenActors } = await troupe.chat({ messages: goldenMessages(golden(0)) });
    assert.deepEqual(bytesBetweenActors.embeddings, { moved: 0, copied: 0 });
  });
});
