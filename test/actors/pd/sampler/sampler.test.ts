import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResolvedSampling } from '../../../../actors/generation.ts';
import { argmax } from '../../../../actors/pd/sampler/greedy.ts';
import { Penalties } from '../../../../actors/pd/sampler/penalties.ts';
import { SeededRandom } from '../../../../actors/pd/sampler/random.ts';
import { Sampler } from '../../../../actors/pd/sampler/sampler.ts';
import { GREEDY } from '../support/requests.ts';

function sampler(options: Partial<ResolvedSampling> = {}, promptIds: readonly number[] = []): Sampler {
  return new Sampler({ ...GREEDY, ...options }, Int32Array.from(promptIds));
}

describe('greedy', () => {
  it('takes the largest logit', () => {
    assert.equal(argmax(Float32Array.of(-3, 2, 1)), 1);
  });

  it('takes the lowest index among equals', () => {
    assert.equal(argmax(Float32Array.of(1, 5, 5, 5)), 1);
  });

  it('passes over tokens ruled out by -Infinity', () => {
    assert.equal(argmax(Float32Array.of(Number.NEGATIVE_INFINITY, -1e30)), 1);
  });

  it('chooses nothing from NaN, from Infinity, or when all is ruled out', () => {
    assert.equal(argmax(Float32Array.of(1, Number.NaN)), -1);
    assert.equal(argmax(Float32Array.of(Number.NaN, 1)), -1);
    assert.equal(argmax(Float32Array.of(1, Number.POSITIVE_INFINITY)), -1);
    assert.equal(argmax(Float32Array.of(Number.NEGATIVE_INFINITY)), -1);
  });
});

describe('penalties', () => {
  const off = { repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 };

  it('repetition divides positive and multiplies negative logits, of prompt and answer, once', () => {
    const penalties = new Penalties({ ...off, repetitionPenalty: 2 }, Int32Array.of(0, 0, 1));
    penalties.observe(2);
    const logits = Float32Array.of(4, -4, 3, 3);
    penalties.apply(logits);
    assert.deepEqual([...logits], [2, -8, 1.5, 3]);
  });

  it('frequency counts occurrences in the answer, presence does not; the prompt is free of both', () => {
    const penalties = new Penalties(
      { ...off, presencePenalty: 0.5, frequencyPenalty: 0.25 },
      Int32Array.of(0),
    );
    for (const id of [1, 1, 1, 2]) penalties.observe(id);
    const logits = Float32Array.of(1, 1, 1, 1);
    penalties.apply(logits);
    assert.deepEqual([...logits], [1, -0.25, 0.25, 1]);
  });

  it('repetition comes before frequency and presence', () => {
    const penalties = new Penalties(
      { repetitionPenalty: 2, presencePenalty: 1, frequencyPenalty: 0 },
      Int32Array.of(),
    );
    penalties.observe(0);
    const logits = Float32Array.of(4);
    penalties.apply(logits);
    assert.deepEqual([...logits], [1]);
  });

  it('a prompt token outside the logits is ignored', () => {
    const penalties = new Penalties({ ...off, repetitionPenalty: 2 }, Int32Array.of(9));
    const logits = Float32Array.of(1);
    penalties.apply(logits);
    assert.deepEqual([...logits], [1]);
  });
});

describe('random numbers', () => {
  it('are those of xoshiro128** seeded by splitmix32', () => {
    // From an implementation in another language, itself checked against the authors' first outputs for 1, 2, 3, 4.
    for (const [seed, values] of [
      [0, [3809008728, 1133695204, 53579671, 2891528803]],
      [42, [2837322924, 544945897, 479756282, 3500138142]],
      [0xffffffff, [835879718, 1921286648, 2356205009, 1885780724]],
    ] as const) {
      const random = new SeededRandom(seed);
      assert.deepEqual(
        values.map(() => random.nextUint32()),
        values,
      );
    }
  });

  it('lie in [0, 1) with a mean of a half', () => {
    const random = new SeededRandom(3);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const value = random.nextFloat();
      assert.ok(value >= 0 && value < 1);
      sum += value;
    }
    assert.ok(Math.abs(sum / 10_000 - 0.5) < 0.01);
  });
});

describe('sampling', () => {
  it('at temperature 0 draws nothing: the seed does not matter', () => {
    for (let seed = 0; seed < 5; seed++)
      assert.equal(sampler({ seed }).sample(Float32Array.of(0, 1, 0.9)), 1);
  });

  it('draws tokens as often as their probability says', () => {
    const counts = [0, 0, 0];
    const one = sampler({ temperature: 1, seed: 11 });
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const id = one.sample(Float32Array.of(Math.log(0.2), Math.log(0.7), Math.log(0.1)));
      counts[id] = (counts[id] ?? 0) + 1;
    }
    for (const [id, share] of [0.2, 0.7, 0.1].entries()) {
      assert.ok(Math.abs((counts[id] ?? 0) / draws - share) < 0.01, `token ${id}: ${counts[id]}`);
    }
  });

  it('a temperature of 2 halves the distance between logits', () => {
    let first = 0;
    const one = sampler({ temperature: 2, seed: 5 });
    for (let draw = 0; draw < 20_000; draw++)
      first += Number(one.sample(Float32Array.of(2 * Math.log(3), 0)) === 0);
    assert.ok(Math.abs(first / 20_000 - 0.75) < 0.01);
  });

  it('truncation is never crossed', () => {
    const one = sampler({ temperature: 5, topK: 2, seed: 1 });
    for (let draw = 0; draw < 200; draw++) assert.notEqual(one.sample(Float32Array.of(1, 2, 3)), 0);
  });

  it('a tiny temperature does not overflow', () => {
    assert.equal(sampler({ temperature: 1e-9 }).sample(Float32Array.of(-1e4, 1e4, 0)), 1);
  });

  it('a token ruled out by -Infinity is never drawn', () => {
    const one = sampler({ temperature: 100, seed: 2 });
    for (let draw = 0; draw < 200; draw++) {
      assert.equal(one.sample(Float32Array.of(Number.NEGATIVE_INFINITY, 0)), 1);
    }
  });

  it('draws once per token, whatever the truncation', () => {
    const options = { temperature: 1, seed: 9 };
    const flat = () => new Float32Array(16);
    const plain = sampler(options);
    const truncated = sampler({ ...options, topK: 16 });
    for (let draw = 0; draw < 20; draw++) assert.equal(plain.sample(flat()), truncated.sample(flat()));
  });
});
