import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MODES, Troupe } from '../../src/index.ts';
import { golden, goldenMessages } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

for (const mode of MODES) {
  describe(`several answers with logprobs, ${mode}`, () => {
    let troupe: Troupe;
    before(async () => {
      troupe = await Troupe.start({ model: PILOT_MODEL, mode, pd: { maxRunning: 3 } });
    });
    after(() => troupe.stop());

    it('are streamed piece by piece, each piece with the index of its answer', async () => {
      const { tokenIds } = golden(9);
      const messages = goldenMessages(golden(9));
      const stream = troupe.stream({ messages, n: 2, logprobs: true, topLogprobs: 2 });
      const ids: number[][] = [[], []];
      for await (const { index, tokenIds: some, logprobs } of stream) {
        ids[index ?? -1]?.push(...some);
        assert.deepEqual(
          logprobs?.map(({ id, top }) => [id, top.length]),
          some.map((id) => [id, 2]),
        );
      }
      assert.deepEqual(ids, [tokenIds, tokenIds]);
      const { choices, text, usage } = await stream.result;
      assert.deepEqual(
        choices.map((choice) => [choice.index, choice.text, choice.finishReason, choice.logprobs?.length]),
        [0, 1].map((index) => [index, text, 'stop', tokenIds.length]),
      );
      assert.equal(usage.completionTokens, 2 * tokenIds.length);
    });

    it('of which there are more than rows in a batch are refused before an image is opened', async () => {
      const content = [{ type: 'image', image: Buffer.from('no image') } as const];
      const messages = [{ role: 'user', content } as const];
      await assert.rejects(troupe.chat({ messages, n: 4 }), { code: 'TOO_MANY_CHOICES', message: /^n: .*3/ });
      await assert.rejects(troupe.chat({ messages, n: 3 }), { code: /IMAGE/ });
    });

    it('without them a result has one choice and no logprobs', async () => {
      const { choices, ...result } = await troupe.chat({ messages: goldenMessages(golden(0)) });
      assert.equal('logprobs' in result, false);
      assert.deepEqual(choices, [
        { index: 0, text: result.text, finishReason: 'stop', tokenIds: result.tokenIds },
      ]);
    });
  });
}
