import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRunner } from '../../../../actors/pd/runner/model-runner.ts';
import { pilotDirectory } from '../support/pilot.ts';

const IDS = Int32Array.from({ length: 96 }, (_, i) => 5 + ((i * 7) % 90));
const FEED = {
  positions: undefined,
  images: [],
  logits: true,
  onImagesRead: () => {},
};

/** A runner of which it is counted how often it asks whether more threads are free, and what it predicts after a prompt. */
async function asking(isFree: () => boolean) {
  let asked = 0;
  const isNow = () => {
    asked += 1;
    return isFree();
  };
  const runner = await ModelRunner.load(await pilotDirectory(), {
    threads: 1,
    maxRunning: 2,
    prefixCacheBytes: 0,
    wide: { threads: 2, isNow },
  });
  return {
    asked: () => asked,
    predicted: async (ids: Int32Array) => {
      const run = runner.begin({ ...FEED, ids });
      const predictions = await runner.extend(run, ids.length);
      runner.drop(run);
      return predictions?.likeliest(0);
    },
    [Symbol.asyncDispose]: () => runner.release(),
  };
}

describe('prompts on more threads', () => {
  it('are run there while these are free, and predict the same', async () => {
    let free = true;
    await using runner = await asking(() => free);
    const wide = await runner.predicted(IDS);
    free = false;
    const narrow = await runner.predicted(IDS);
    assert.equal(runner.asked(), 2);
    assert.notEqual(wide, undefined);
    assert.equal(wide, narrow);
  });

  it('are run where steps are, when they are short and steps have no graph of their own', async () => {
    await using runner = await asking(() => true);
    await runner.predicted(IDS.subarray(0, 48));
    assert.equal(runner.asked(), 0);
  });
});
