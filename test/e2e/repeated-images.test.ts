import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Troupe, type TroupeOptions } from '../../src/index.ts';
import { golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const CASES: readonly (readonly [string, TroupeOptions])[] = [
  ['an aggregated engine', { mode: 'aggregated' }],
  ['an engine with several aggregated actors', { mode: 'aggregated', pd: { count: 2 } }],
  ['a disaggregated engine', { mode: 'disaggregated' }],
  [
    'an engine with several encoders and processors',
    { mode: 'disaggregated', encoder: { count: 2 }, processor: { count: 2 } },
  ],
];

/** A counter of all actors together. */
async function total(troupe: Troupe, counter: string): Promise<number> {
  const { actors } = await troupe.stats();
  return actors.reduce((sum, { stats }) => sum + Number(stats?.[counter] ?? 0), 0);
}

for (const [name, options] of CASES) {
  describe(`${name}, asked about an image again`, () => {
    let troupe: Troupe;
    before(async () => {
      troupe = await Troupe.start({ ...options, model: PILOT_MODEL });
    });
    after(() => troupe.stop());

    it('encodes it once for all its requests, at the same time or later', async () => {
      const messages = goldenMessages(golden(0));
      const answers = await Promise.all(Array.from({ length: 12 }, () => troupe.chat({ messages })));
      answers.push(await troupe.chat({ messages }));
      for (const { tokenIds } of answers) assert.deepEqual(tokenIds, golden(0).tokenIds);
      assert.equal(await total(troupe, 'encodes'), 1);
      const { caches } = await troupe.stats();
      const { hits, misses, hitRate, entries } = caches[0] ?? assert.fail('no cache');
      assert.deepEqual({ hits, misses, entries }, { hits: 12, misses: 1, entries: 1 });
      assert.equal(hitRate, 12 / 13);
    });

    it('hands over no pixels for it', async () => {
      const messages = goldenMessages(golden(1));
      // Each processor has to see it once.
      for (let request = 0; request < 4; request++) await troupe.chat({ messages });
      const decodes = await total(troupe, 'decodes');
      const { bytesBetweenActors, timings } = await troupe.chat({ messages });
      assert.deepEqual(bytesBetweenActors.pixels, { moved: 0, copied: 0 });
      assert.equal(await total(troupe, 'decodes'), decodes);
      const apart = options.mode === 'disaggregated';
      if (apart) assert.equal(timings.encodeMs, 0);
      assert.deepEqual(bytesBetweenActors.embeddings, { moved: apart ? 25 * 128 * 4 : 0, copied: 0 });
    });

    it('gives every golden its own answer the second time as well', async () => {
      for (let round = 0; round < 2; round++) {
        const answers = await Promise.all(
          goldens.slice(0, 24).map((one) => troupe.chat({ messages: goldenMessages(one) })),
        );
        for (const [index, { tokenIds }] of answers.entries()) {
          assert.deepEqual(tokenIds, golden(index).tokenIds, golden(index).question);
        }
      }
    });

    it('encodes it anew after the caches were cleared', async () => {
      const messages = goldenMessages(golden(2));
      await troupe.chat({ messages });
      const encodes = await total(troupe, 'encodes');
      const cleared = await troupe.clearCaches();
      assert.ok((cleared['image-embeddings'] ?? 0) >= 25 * 128 * 4);
      await troupe.chat({ messages });
      assert.equal(await total(troupe, 'encodes'), encodes + 1);
    });
  });
}

describe('an engine without an image cache', () => {
  it('encodes an image each time', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, vision: { cacheBytes: 0 } });
    const messages = goldenMessages(golden(0));
    for (let request = 0; request < 3; request++) {
      assert.deepEqual((await troupe.chat({ messages })).tokenIds, golden(0).tokenIds);
    }
    assert.equal(await total(troupe, 'encodes'), 3);
  });
});

describe('a kept image', () => {
  it('outlives the encoder that made it', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, mode: 'disaggregated' });
    const messages = goldenMessages(golden(0));
    await troupe.chat({ messages });
    const restarted = new Promise((resolve) => {
      troupe.events.on('actor:up', resolve);
    });
    troupe.crash('encoder/0');
    await restarted;
    assert.deepEqual((await troupe.chat({ messages })).tokenIds, golden(0).tokenIds);
    assert.equal(await total(troupe, 'encodes'), 0, 'the new incarnation has encoded nothing');
  });
});
