/** GroupQueryAttention: prompts in parts of 31 tokens, and rows with their free places on the right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Troupe } from '../../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../../support/default-golden.ts';

describe('the embedded model on WebGPU', () => {
  it('gives the reference answers, several at a time, token for token', async () => {
    await using troupe = await Troupe.start({ device: 'webgpu', dtype: 'fp32' });
    const asked = defaultGoldens.filter(({ tokenIds }) => tokenIds.length < 12).slice(0, 4);
    assert.equal(asked.length, 4);
    const answers = await Promise.all(
      asked.map((one) => troupe.chat({ messages: defaultGoldenMessages(one) })),
    );
    assert.deepEqual(
      answers.map(({ tokenIds }) => tokenIds),
      asked.map(({ tokenIds }) => tokenIds),
    );
    assert.equal((await troupe.stats()).gpu?.liveBuffers, 0);
  });
});
