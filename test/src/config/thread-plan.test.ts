import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TroupeOptions } from '../../../src/config/options.ts';
import { type Machine, planThreads, type ThreadPlan } from '../../../src/config/thread-plan.ts';

const MIB = 1024 ** 2;
/** Of SmolVLM-256M in 8 bits, nearly. */
const MIDDLE = 200 * MIB;
const LARGE = 1024 * MIB;
const SMALL = 5 * MIB;

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
const together = (
  cores: number,
  given: TroupeOptions = {},
  weightBytes = LARGE,
  rest: Partial<Machine> = {},
) => planThreads('aggregated', given, { cores, weightBytes, ...rest });

describe('the thread plan of aggregated mode', () => {
  it('gives few cores to the one actor that computes, and of many a few to each of several', () => {
    const plans = [1, 2, 4, 16, 64].map((cores) => numbers(together(cores, {}, MIDDLE)).pd);
    assert.deepEqual(plans, [
      [1, 1],
      [1, 2],
      [2, 2],
      [8, 2],
      [16, 4],
    ]);
  });

  it('takes fewer and wider actors for a larger decoder, which each of them reads at every step', () => {
    const plans = [MIDDLE, LARGE, 3 * LARGE].map((bytes) => numbers(together(16, {}, bytes)).pd);
    assert.deepEqual(plans, [
      [8, 2],
      [4, 4],
      [2, 8],
    ]);
    assert.deepEqual(numbers(together(16, {}, LARGE, { decoderBytes: MIDDLE })).pd, [8, 2]);
  });

  it('starts no more actors than have room in memory, and says so', () => {
    const plan = together(16, {}, MIDDLE, { memoryBytes: 8 * LARGE });
    assert.deepEqual(numbers(plan).pd, [4, 4]);
    assert.match(plan.pd.why, /room in memory/);
    assert.deepEqual(numbers(together(16, {}, MIDDLE, { memoryBytes: LARGE })).pd, [1, 16]);
  });

  it('starts one actor where several could not share anything, and says why', () => {
    const plan = together(16, {}, MIDDLE, { single: 'a GPU belongs to one actor' });
    assert.deepEqual(numbers(plan).pd, [1, 16]);
    assert.match(plan.pd.why, /a GPU belongs to one actor/);
  });

  it('gives the first of several more threads for when it works alone', () => {
    assert.equal(together(16, {}, MIDDLE).pd.alone, 16);
    assert.equal(together(2, {}, MIDDLE).pd.alone, undefined);
    assert.equal(together(16, { pd: { count: 4, threads: 2 } }).pd.alone, undefined);
    assert.equal(together(16, { pd: { count: 4 } }, SMALL).pd.alone, undefined);
  });

  it('gives the first of several actors of a small model more threads, too, but not more than eight', () => {
    const alone = [1, 2, 4, 16].map((cores) => together(cores, {}, SMALL).pd.alone);
    assert.deepEqual(alone, [undefined, 2, 4, 8]);
    assert.equal(together(2, { pd: { count: 2 } }, SMALL).pd.alone, undefined);
  });

  it('divides the cores among as many as are asked for', () => {
    assert.deepEqual(numbers(together(8, { pd: { count: 3 } })).pd, [3, 2]);
  });

  it('gives each at least one thread, and says that they take turns', () => {
    const plan = together(2, { pd: { count: 3 } });
    assert.deepEqual(numbers(plan).pd, [3, 1]);
    assert.equal(plan.notes[0], '3 inference threads take turns on 2 cores');
  });

  it('gives a small model two actors of one thread, and more on many cores', () => {
    const plans = [1, 2, 3, 4, 8, 16, 64].map((cores) => numbers(together(cores, {}, SMALL)).pd);
    assert.deepEqual(
      plans.map(([count]) => count),
      [1, 2, 2, 2, 4, 8, 8],
    );
    assert(plans.every(([, threads]) => threads === 1));
    const { pd, notes } = together(2, {}, SMALL);
    assert.match(pd.why, /small.*side by side/);
    assert.match(notes.join(), /beginning of its prompt/);
  });

  it('gives a small model one actor where it is asked for, has no room for more or a GPU', () => {
    const one = (given: TroupeOptions, rest: Partial<Machine> = {}) => {
      const { count, threads } = together(2, given, SMALL, rest).pd;
      return [count, threads];
    };
    assert.deepEqual(one({ pd: { count: 1 } }), [1, 1]);
    assert.deepEqual(one({ pd: { threads: 2 } }), [1, 2]);
    assert.deepEqual(one({}, { memoryBytes: LARGE / 2 }), [1, 1]);
    assert.deepEqual(one({}, { memoryBytes: 0.8 * LARGE }), [2, 1]);
    assert.deepEqual(one({}, { single: 'a GPU belongs to one actor' }), [1, 1]);
  });
});

describe('the thread plan of disaggregated mode', () => {
  it('halves the cores, and gives the larger half to PD', () => {
    assert.deepEqual(numbers(apart(8)), { processor: [2, 0], encoder: [1, 4], pd: [1, 4] });
    assert.deepEqual(numbers(apart(7)), { processor: [1, 0], encoder: [1, 3], pd: [1, 4] });
  });

  it('makes several actors of each half where there are many cores', () => {
    assert.deepEqual(numbers(apart(16, {}, MIDDLE)), { processor: [4, 0], encoder: [1, 8], pd: [4, 2] });
    assert.deepEqual(numbers(apart(64, {}, MIDDLE)), { processor: [16, 0], encoder: [4, 8], pd: [16, 2] });
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
    assert.deepEqual(numbers(apart(6, { encoder: { threads: 2 } })).pd, [1, 4]);
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
