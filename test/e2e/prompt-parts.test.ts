import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MODES, Troupe } from '../../src/index.ts';
import { golden, goldenMessages } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

for (const mode of MODES) {
  it(`prompts run in parts of as many tokens as pd.prefillTokensPerStep says, ${mode}`, async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, mode, pd: { prefillTokensPerStep: 7 } });
    const one = golden(1);
    const { tokenIds, usage } = await troupe.chat({ messages: goldenMessages(one) });
    assert.deepEqual(tokenIds, one.tokenIds);
    const { actors } = await troupe.stats();
    const runs = actors.reduce((sum, { stats }) => sum + Number(stats?.prefillRuns ?? 0), 0);
    assert.equal(runs, Math.ceil(usage.promptTokens / 7));
  });
}
