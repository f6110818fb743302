import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChatMessage, inspectModel, MODES, type Mode, Troupe } from '../../src/index.ts';
import { golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const start = (mode: Mode) => Troupe.start({ model: PILOT_MODEL, mode, pd: { count: 3 } });

/** Tokens of prompts that each actor of the language model had, by actor. */
async function cachedTokens(troupe: Troupe): Promise<Map<string, number>> {
  const { actors } = await troupe.stats();
  const counted = actors.flatMap(({ name, stats }): [string, number][] => {
    const cache = stats?.prefixCache as { readonly cachedTokens?: unknown } | undefined;
    return cache === undefined ? [] : [[name, Number(cache.cachedTokens)]];
  });
  return new Map(counted);
}

describe('several actors of the language model', () => {
  for (const mode of MODES) {
    it(`answer as one does, all at once, in ${mode} mode, and keep a conversation where it began`, async () => {
      await using troupe = await start(mode);
      const results = await Promise.all(
        goldens.map((golden) => troupe.chat({ messages: goldenMessages(golden) })),
      );
      assert.deepEqual(
        results.map(({ tokenIds }) => tokenIds),
        goldens.map(({ tokenIds }) => tokenIds),
      );
      await troupe.clearCaches();
      const before = await cachedTokens(troupe);
      // What is held weighs more than an answer that its actor has hardly ended.
      const messages: ChatMessage[] = [{ role: 'system', content: 'x y z '.repeat(100) }];
      for (const word of ['One', 'Two', 'Three', 'Four', 'Five']) {
        messages.push({ role: 'user', content: `${word} of the questions that come one after the other` });
        const { text } = await troupe.chat({ messages, maxTokens: 8 });
        messages.push({ role: 'assistant', content: text });
      }
      const after = await cachedTokens(troupe);
      const used = [...after].filter(([name, tokens]) => tokens > (before.get(name) ?? 0));
      assert.equal(after.size, 3);
      assert.equal(used.length, 1);
    });
  }
});

describe('actors that nobody asked for', () => {
  it('are those of the plan, and take a picture that comes again from whoever had it first', async () => {
    const { modes } = await inspectModel({ model: PILOT_MODEL });
    const planned = modes.aggregated.actors.flatMap(({ pool, count }) =>
      Array.from({ length: count }, (_, index) => `${pool}/${index}`),
    );
    await using troupe = await Troupe.start({ model: PILOT_MODEL });
    const { actors } = troupe.health();
    assert.deepEqual(actors.map(({ name }) => name).toSorted(), planned.toSorted());
    const messages = goldenMessages(golden(0));
    const first = await troupe.chat({ messages });
    // An answer counts as work of its actor until the step is over that ended it.
    while (troupe.health().actors.some(({ load }) => (load?.running ?? 0) > 0))
      await new Promise(setImmediate);
    const again = await troupe.chat({ messages });
    assert.deepEqual(again.tokenIds, first.tokenIds);
    assert(again.usage.cachedTokens > 0);
    const encodes = (await troupe.stats()).actors.reduce(
      (sum, { stats }) => sum + Number(stats?.encodes ?? 0),
      0,
    );
    assert.equal(encodes, 1);
  });
});
