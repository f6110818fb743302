/** GroupQueryAttention: prompts in parts of 31 tokens where the driver is wrong, and rows with their free places on the right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Troupe } from '../../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../../support/default-golden.ts';

/** Wrong from 32 new tokens on. */
const isSwiftShader = /swiftshader/.test(process.env.VK_DRIVER_FILES ?? '');

/** A run of the vision graph on a driver that emulates a GPU, beside other work. */
const A_RUN_AT_MOST_MS = 120_000;

describe('the embedded model on WebGPU', () => {
  it('gives the reference answers, several at a time, token for token', async () => {
    await using troupe = await Troupe.start({
      device: 'webgpu',
      dtype: 'fp32',
      // Beside other work a run may take far more than ten times what the first ones took.
      watchdog: { turnMs: A_RUN_AT_MOST_MS, nativeMs: A_RUN_AT_MOST_MS },
    });
    const { gpu: idle } = await troupe.stats();
    assert.equal(idle?.promptTokensPerRun, isSwiftShader ? 31 : 512);
    assert.deepEqual([idle.liveBuffers, idle.hostToDeviceBytes, idle.deviceToHostBytes], [0, 0, 0]);
    const asked = defaultGoldens.find(({ tokenIds }) => tokenIds.length < 12);
    assert(asked !== undefined);
    const [one, other] = await Promise.all([
      troupe.chat({ messages: defaultGoldenMessages(asked) }),
      troupe.chat({ messages: [{ role: 'user', content: 'Hello!' }], maxTokens: 5, temperature: 0 }),
    ]);
    assert.deepEqual(one.tokenIds, asked.tokenIds);
    // What it was trained to say. A picture more would take as long as all the rest.
    assert.equal(other.text, 'Send me a picture:');
    const { gpu, actors } = await troupe.stats();
    assert.equal(gpu?.liveBuffers, 0);
    const stats = actors.find(({ name }) => name === 'aggregated/0')?.stats;
    const [runs, rows] = [Number(stats?.prefillRuns), Number(stats?.decodeRows)];
    assert(Number(stats?.prefillTokens) / runs <= idle.promptTokensPerRun);
    // The likeliest token, its logit and their sum; no logits.
    assert.equal(gpu?.deviceToHostBytes, (runs + rows) * 3 * Float32Array.BYTES_PER_ELEMENT);
  });
});
