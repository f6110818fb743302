/** The embedded model with answers that draft themselves: what PyTorch says, in either mode, alone and 16 at once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MODES, Troupe } from '../../src/index.ts';
import { usageOf } from '../../src/server/openai/usage.ts';
import { defaultGoldenMessages, defaultGoldens } from '../support/default-golden.ts';

const asked = defaultGoldens.slice(0, 16);
const expected = asked.map(({ tokenIds }) => tokenIds);

for (const mode of MODES) {
  describe(`drafted answers of the embedded model, ${mode}`, () => {
    let troupe: Troupe;
    before(async () => {
      troupe = await Troupe.start({ mode, dtype: 'fp32', pd: { speculation: 'auto', maxDraftTokens: 12 } });
    });
    after(() => troupe.stop());

    async function ask(index: number): Promise<readonly number[]> {
      const golden = asked[index];
      assert.ok(golden);
      const { tokenIds } = await troupe.chat({ messages: defaultGoldenMessages(golden), temperature: 0 });
      return tokenIds;
    }

    it('are the reference’s, alone', async () => {
      for (const [index, tokenIds] of expected.entries()) assert.deepEqual(await ask(index), tokenIds);
    });

    it('are the reference’s, 16 at once, known from before', async () => {
      assert.deepEqual(await Promise.all(expected.map((_, index) => ask(index))), expected);
    });
  });
}

it('usage tells of drafts as OpenAI’s API does', () => {
  const counted = { promptTokens: 5, imageTokens: 0, cachedTokens: 0, completionTokens: 9 };
  const told = usageOf({ ...counted, acceptedDraftTokens: 4, rejectedDraftTokens: 2 });
  assert.deepEqual(Object.entries(told).find(([name]) => name === 'completion_tokens_details')?.[1], {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 4,
    rejected_prediction_tokens: 2,
  });
});

for (const [field, pd] of [
  ['pd.speculation', { speculation: 'always' }],
  ['pd.maxDraftTokens', { maxDraftTokens: 0 }],
  ['pd.maxDraftTokens', { maxDraftTokens: 32 }],
] as const) {
  it(`${field} has to be one of what there is: ${JSON.stringify(pd)}`, async () => {
    // @ts-expect-error: what a JavaScript caller may hand over
    await assert.rejects(Troupe.start({ pd }), {
      code: 'INVALID_OPTION',
      message: new RegExp(`^${field}: `),
    });
  });
}
