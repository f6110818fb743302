import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tryRuns } from '../../../actors/inference/trial-runs.ts';
import { TroupeError } from '../../../runtime/errors.ts';

/** How often a run that takes so long is made. */
async function runsOf(ms: number, most: 1 | 2 = 2): Promise<number> {
  let now = 0;
  let runs = 0;
  await tryRuns(
    async () => {
      runs += 1;
      now += ms;
    },
    most,
    () => now,
  );
  return runs;
}

describe('trial runs', () => {
  it('are made once where one was quick, and again where it may have waited for a disk', async () => {
    assert.equal(await runsOf(20), 1);
    assert.equal(await runsOf(5_000), 2);
    assert.equal(await runsOf(5_000, 1), 1);
  });

  it('leave it to requests to hear of a graph that fails', async () => {
    await tryRuns(() => Promise.reject(new TroupeError('it failed', { code: 'MODEL_RUN_FAILED' })));
  });

  it('hide nothing else', async () => {
    await assert.rejects(
      tryRuns(() => Promise.reject(new TypeError('a mistake of ours'))),
      TypeError,
    );
  });
});
