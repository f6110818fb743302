import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingOptions } from '../../../actors/generation.ts';
import { resolveSampling } from '../../../actors/processor/resolve-sampling.ts';
import { code } from '../model/support/model-fixture.ts';

const ROOM = 1_000;

/** Of a request that asks for nothing more. */
const NOTHING_MORE = { logitBias: {}, logprobs: false, topLogprobs: 0, n: 1 };

test('without any settings: greedy, 256 tokens, everything else off', () => {
  const { seed, ...rest } = resolveSampling({}, {}, ROOM);
  assert.deepEqual(rest, {
    maxTokens: 256,
    temperature: 0,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    stop: [],
    ...NOTHING_MORE,
  });
  assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
});

test('what the request leaves open comes from generation_config.json', () => {
  const model = {
    do_sample: true,
    temperature: 0.6,
    top_k: 50,
    top_p: 0.9,
    min_p: 0.05,
    repetition_penalty: 1.1,
    max_new_tokens: 64,
  };
  const sampling = resolveSampling({ topK: 5, seed: 7 }, model, ROOM);
  assert.deepEqual(sampling, {
    maxTokens: 64,
    temperature: 0.6,
    topK: 5,
    topP: 0.9,
    minP: 0.05,
    repetitionPenalty: 1.1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    seed: 7,
    stop: [],
    ...NOTHING_MORE,
  });
});

test('a model that samples without a temperature samples at 1', () => {
  assert.equal(resolveSampling({}, { do_sample: true }, ROOM).temperature, 1);
});

test('a temperature in generation_config.json without do_sample stays greedy', () => {
  assert.equal(resolveSampling({}, { temperature: 0.7 }, ROOM).temperature, 0);
});

test('maxTokens is cut to the room the prompt leaves', () => {
  assert.equal(resolveSampling({ maxTokens: 5_000 }, {}, ROOM).maxTokens, ROOM);
  assert.equal(resolveSampling({}, {}, 10).maxTokens, 10);
});

test('the ends of each range are accepted', () => {
  const low = {
    maxTokens: 1,
    temperature: 0,
    topK: 0,
    topP: 1e-9,
    minP: 0,
    repetitionPenalty: 1e-6,
    presencePenalty: -2,
    frequencyPenalty: -2,
    seed: 0,
    stop: [],
    ...NOTHING_MORE,
  };
  const high = {
    maxTokens: 9,
    temperature: 2,
    topK: 1e6,
    topP: 1,
    minP: 1,
    repetitionPenalty: 100,
    presencePenalty: 2,
    frequencyPenalty: 2,
    seed: 2 ** 32 - 1,
    stop: Array(16).fill('x'),
    logitBias: { 0: 100, 9: -100 },
    logprobs: true,
    topLogprobs: 20,
    n: 16,
  };
  assert.deepEqual(resolveSampling(low, {}, ROOM), low);
  assert.deepEqual(resolveSampling(high, {}, ROOM), high);
});

const wrong: Readonly<Record<string, readonly unknown[]>> = {
  maxTokens: [0, -1, 1.5],
  temperature: [-0.1, 2.1],
  topK: [-1, 2.5],
  topP: [0, 1.1],
  minP: [-0.1, 1.1],
  repetitionPenalty: [0, -1, 1e-39, 1e-7, 1.1e6, Number.MAX_VALUE],
  presencePenalty: [-2.1, 2.1],
  frequencyPenalty: [-2.1, 2.1],
  seed: [-1, 2 ** 32, 0.5],
  topLogprobs: [-1, 21, 0.5],
  n: [0, 17, 1.5],
};

for (const [field, values] of Object.entries(wrong)) {
  for (const value of [...values, Number.NaN, Number.POSITIVE_INFINITY, '1', null, true, {}]) {
    test(`${field} ${JSON.stringify(value) ?? String(value)} (${typeof value}) is refused`, () => {
      assert.throws(
        () => resolveSampling(Object.fromEntries([[field, value]]), {}, ROOM),
        (error) => {
          assert.ok(code('INVALID_SAMPLING')(error));
          assert.ok(error instanceof Error && error.message.startsWith(`${field}: `));
          return true;
        },
      );
    });
  }
}

for (const stop of ['x', [''], [1], [null], Array(17).fill('x'), {}]) {
  test(`stop ${JSON.stringify(stop).slice(0, 40)} is refused`, () => {
    const options: SamplingOptions = Object.fromEntries([['stop', stop]]);
    assert.throws(() => resolveSampling(options, {}, ROOM), code('INVALID_SAMPLING'));
  });
}

for (const logitBias of [
  [1],
  'x',
  null,
  7,
  { a: 1 },
  { '-1': 1 },
  { 1.5: 1 },
  { '01': 1 },
  { 1: 101 },
  { 1: '5' },
]) {
  test(`logitBias ${JSON.stringify(logitBias)} is refused`, () => {
    const options: SamplingOptions = Object.fromEntries([['logitBias', logitBias]]);
    assert.throws(() => resolveSampling(options, {}, ROOM), code('INVALID_SAMPLING'));
  });
}

test('a bias on a token that the model does not have is refused with the ids that it has', () => {
  assert.deepEqual(resolveSampling({ logitBias: { 99: 1 } }, {}, ROOM, 100).logitBias, { 99: 1 });
  assert.throws(
    () => resolveSampling({ logitBias: { 100: 1 } }, {}, ROOM, 100),
    /logitBias: .*100.*from 0 to 99/s,
  );
});

test('topLogprobs without logprobs is refused', () => {
  assert.throws(() => resolveSampling({ topLogprobs: 2 }, {}, ROOM), /topLogprobs: .*logprobs: true/s);
});

test('logprobs that is no yes or no is refused', () => {
  const options: SamplingOptions = Object.fromEntries([['logprobs', 5]]);
  assert.throws(() => resolveSampling(options, {}, ROOM), code('INVALID_SAMPLING'));
});
