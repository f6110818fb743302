import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRunner } from '../../../../actors/pd/runner/model-runner.ts';
import { pilotDirectory } from '../support/pilot.ts';

const IDS = Int32Array.from({ length: 48 }, (_, i) => 5 + ((i * 7) % 90));
const FEED = {
  ids: IDS,
  positions: undefined,
  images: [],
  logits: true,
  onImagesRead: () => {},
};

describe('prompts on more threads', () => {
  it('are run there while these are free, and predict the same', async () => {
    const directory = await pilotDirectory();
    let free = true;
    let asked = 0;
    const isNow = () => {
      asked += 1;
      return free;
    };
    const runner = await ModelRunner.load(directory, {
      threads: 1,
      maxRunning: 2,
      prefixCacheBytes: 0,
      wide: { threads: 2, isNow },
    });
    const predicted = async () => {
      const run = runner.begin(FEED);
      const predictions = await runner.extend(run, IDS.length);
      runner.drop(run);
      return predictions?.likeliest(0);
    };
    const wide = await predicted();
    free = false;
    const narrow = await predicted();
    assert.equal(asked, 2);
    assert.notEqual(wide, undefined);
    assert.equal(wide, narrow);
    await runner.release();
  });
});
