import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TroupeOptions } from '../../../src/config/options.ts';
import { planThreads, type ThreadPlan } from '../../../src/config/thread-plan.ts';

const LARGE = 1024 ** 3;
const SMALL = 5 * 1024 ** 2;

/** `[count, threads]` of each pool. */
function numbers({ processor, encoder, pd }: ThreadPlan) {
  const pair = (pool: ThreadPlan['pd']) => [pool.count, pool.threads];
  return {
    processor: pair(processor),
    ...(encoder === undefined ? {} : { encoder: pair(encoder) }),
    pd: pair(pd),
  };
}

const apart = (cores: number, given: TroupeOptions = {}, weightBytes = LARGE) =>
  planThreads('disaggregated', given, { cores, weightBytes });
const together = (cores: number, given: TroupeOptions = {}, weightBytes = LARGE) =>
  planThreads('aggregated', given, { cores, weightBytes });

describe('the thread plan of aggregated mode', () => {
  it('gives all cores to the one actor that computes', () => {
    assert.deepEqual(numbers(together(8)), { processor: [2, 0], pd: [1, 8] });
  });

  it('divides the cores among several', () => {
    assert.deepEqual(numbers(together(8, { pd: { count: 3 } })).pd, [3, 2]);
  });

  it('gives each at least one thread, and says that they take turns', () => {
    const plan = together(2, { pd: { count: 3 } });
    assert.deepEqual(numbers(plan).pd, [3, 1]);
    assert.deepEqual(plan.notes, ['3 inference threads take turns on 2 cores']);
  });

  it('gives one thread to a small model, whatever the cores', () => {
    const plan = together(16, {}, SMALL);
    assert.deepEqual(numbers(plan).pd, [1, 1]);
    assert.match(plan.pd.why, /small/);
  });
});

describe('the thread plan of disaggregated mode', () => {
  it('halves the cores, and gives the larger half to PD', () => {
    assert.deepEqual(numbers(apart(8)), { processor: [2, 0], encoder: [1, 4], pd: [1, 4] });
    assert.deepEqual(numbers(apart(7)), { processor: [1, 0], encoder: [1, 3], pd: [1, 4] });
  });

  it('on two cores gives one to each', () => {
    const plan = apart(2);
    assert.deepEqual(numbers(plan), { processor: [1, 0], encoder: [1, 1], pd: [1, 1] });
    assert.deepEqual(plan.notes, []);
  });

  it('on one core gives each a thread, and says that they take turns', () => {
    const plan = apart(1);
    assert.deepEqual(numbers(plan), { processor: [1, 0], encoder: [1, 1], pd: [1, 1] });
    assert.deepEqual(plan.notes, ['2 inference threads take turns on 1 core']);
  });

  it('divides each half among the actors of its pool', () => {
    const plan = apart(16, { encoder: { count: 2 }, pd: { count: 4 } });
    assert.deepEqual(numbers(plan), { processor: [4, 0], encoder: [2, 4], pd: [4, 2] });
  });

  it('leaves PD what the encoder was given less, and the other way round', () => {
    assert.deepEqual(numbers(apart(8, { encoder: { threads: 2 } })).pd, [1, 6]);
    assert.deepEqual(numbers(apart(8, { pd: { threads: 6 } })).encoder, [1, 2]);
    assert.deepEqual(numbers(apart(8, { pd: { threads: 8 } })).encoder, [1, 1]);
  });
});

describe('a thread plan', () => {
  it('does what it is asked to, and says so', () => {
    const given = {
      processor: { count: 5 },
      encoder: { count: 2, threads: 3 },
      pd: { count: 1, threads: 7 },
    };
    const plan = apart(4, given, SMALL);
    assert.deepEqual(numbers(plan), { processor: [5, 0], encoder: [2, 3], pd: [1, 7] });
    for (const pool of [plan.processor, plan.encoder, plan.pd]) assert.equal(pool?.why, 'as asked for');
    assert.deepEqual(plan.notes, ['13 inference threads take turns on 4 cores']);
  });

  it('has a reason for every pool', () => {
    for (const plan of [together(8), apart(8), apart(8, {}, SMALL)]) {
      for (const pool of [plan.processor, plan.encoder, plan.pd])
        assert(pool === undefined || pool.why !== '');
    }
  });
});
