import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

for (const kind of ['plain', 'rewritten'] as const) {
  describe(`the pilot model, ${kind}, answers its golden questions token for token`, () => {
    let goldens: EncodedGolden[];
    let engine: PdEngine;
    before(async () => {
      goldens = await encodedGoldens();
      engine = await pilotEngine({ prefixCacheBytes: 0, prefillTokensPerStep: 256 }, kind);
    });
    after(() => engine.dispose());

    function check(sinks: readonly RecordingSink[]): void {
      for (const [index, golden] of goldens.entries()) {
        const sink = sinks[index];
        assert.deepEqual(sink?.tokenIds, golden.tokenIds, golden.image);
        assert.equal(sink?.text.trim(), golden.greedy, golden.image);
        assert.equal(sink?.summary.choices[0].finishReason, 'stop');
        assert.deepEqual(sink?.summary.usage, {
          promptTokens: golden.promptIds.length,
          imageTokens: 25,
          cachedTokens: 0,
          completionTokens: golden.tokenIds.length,
        });
      }
    }

    it('one after the other', async () => {
      const sinks: RecordingSink[] = [];
      for (const golden of goldens) {
        const sink = new RecordingSink();
        sinks.push(sink);
        engine.submit(question(golden), sink);
        await runToEnd(engine);
      }
      check(sinks);
    });

    it('all at once, joining at staggered steps', async () => {
      const before = engine.stats();
      const sinks = goldens.map(() => new RecordingSink());
      for (const [index, golden] of goldens.entries()) {
        const sink = sinks[index];
        if (sink !== undefined) engine.submit(question(golden), sink);
        // 0, 1 or 2 steps between arrivals: requests of all ages meet in a batch.
        for (let step = 0; step < index % 3; step++) await engine.step();
      }
      await runToEnd(engine);
      check(sinks);
      const { decodeRows, decodeSteps } = engine.stats();
      const meanBatch = (decodeRows - before.decodeRows) / (decodeSteps - before.decodeSteps);
      assert.ok(meanBatch > 4, `batched, not one by one: mean batch ${meanBatch}`);
    });
  });
}
