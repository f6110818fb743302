import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gpuLost } from '../../../../../actors/inference/gpu/gpu-errors.ts';
import {
  type PromptTrial,
  promptTokensPerRun,
} from '../../../../../actors/pd/kv-cache/gpu/gpu-prompt-check.ts';

const CONTEXT = 1024;
const VOCABULARY = 50;

/** Logits that depend on how many tokens came before, and not on how they were cut; `disturb` is what the driver adds. */
function driver(disturb: (count: number, past: number) => number) {
  const runs: number[] = [];
  const trial: PromptTrial = async (parts) => {
    let past = 0;
    return parts.map((count) => {
      runs.push(count);
      const error = disturb(count, past);
      past += count;
      return Float32Array.from({ length: VOCABULARY }, (_, i) => 10 * Math.sin(past + i) + error * (i % 2));
    });
  };
  return { runs, trial };
}

describe('how many tokens of a prompt a GPU may run at a time', () => {
  it('many, where long runs give what short ones give but for rounding', async () => {
    const { trial } = driver((count) => 1e-5 * Math.sin(count));
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 512);
  });

  it('31, where a run of 32 is wrong, and that is all that is tried', async () => {
    const { trial, runs } = driver((count) => (count < 32 ? 0 : 1));
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
    assert.deepEqual(runs, [31, 1, 32]);
  });

  it('31, where only the longest run is wrong', async () => {
    const { trial } = driver((count) => (count < 512 ? 0 : 1));
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
  });

  it('31, where only a long run behind a past is wrong', async () => {
    const { trial } = driver((count, past) => (count > 31 && past > 0 ? 1 : 0));
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
  });

  for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`31, where a run of 32 gives ${number}`, async () => {
      const { trial } = driver((count) => (count < 32 ? 0 : number));
      assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
    });
  }

  it('31, where all runs give NaN', async () => {
    const { trial } = driver(() => Number.NaN);
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
  });

  it('31, where nothing can be run, as on a device without the type of its keys', async () => {
    const trial = () => Promise.reject(new Error('requires f16'));
    assert.equal(await promptTokensPerRun(trial, CONTEXT), 31);
  });

  it('none, where the device is lost: nothing can be run there any more', async () => {
    const lost = gpuLost('out of memory', undefined);
    await assert.rejects(
      promptTokensPerRun(() => Promise.reject(lost), CONTEXT),
      lost,
    );
  });

  it('no more than was tried, which is no longer than the model takes', async () => {
    const { trial, runs } = driver(() => 0);
    assert.equal(await promptTokensPerRun(trial, 128), 64);
    assert.equal(Math.max(...runs), 64);
    assert.equal(await promptTokensPerRun(trial, 40), 31);
  });
});
