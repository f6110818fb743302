import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '../../../../actors/pd/sampler/random.ts';
import { candidates, type TruncationRules } from '../../../../actors/pd/sampler/truncation.ts';

/** Weights as the sampler makes them: the likeliest weighs 1. */
function weightsOf(logits: readonly number[], temperature = 1): Float64Array {
  const largest = Math.max(...logits);
  return Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
}

function kept(logits: readonly number[], rules: Partial<TruncationRules>): number[] {
  const weights = weightsOf(logits);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return candidates(weights, total, { topK: 0, topP: 1, minP: 0, ...rules });
}

/**
 * transformers' warpers written out as they are there: on scores, each with its own softmax, top-p by an ascending
 * sort and a cumulative sum.
 */
function reference(logits: readonly number[], { topK, topP, minP }: TruncationRules): number[] {
  let scores = [...logits];
  const softmax = () => {
    const exps = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((value) => value / sum);
  };
  const remove = (ids: readonly number[]) => {
    scores = scores.map((score, id) => (ids.includes(id) ? Number.NEGATIVE_INFINITY : score));
  };
  const all = logits.map((_, id) => id);
  if (topK > 0) {
    const threshold = scores.toSorted((a, b) => b - a)[Math.min(topK, scores.length) - 1] ?? 0;
    remove(all.filter((id) => (scores[id] ?? 0) < threshold));
  }
  if (topP < 1) {
    const probabilities = softmax();
    const ascending = all.toSorted((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
    let cumulative = 0;
    const removed: number[] = [];
    for (const id of ascending.slice(0, -1)) {
      cumulative += probabilities[id] ?? 0;
      if (cumulative <= 1 - topP) removed.push(id);
    }
    remove(removed);
  }
  if (minP > 0) {
    const probabilities = softmax();
    const threshold = minP * Math.max(...probabilities);
    remove(all.filter((id) => (probabilities[id] ?? 0) < threshold));
  }
  return all.filter((id) => Number.isFinite(scores[id]));
}

describe('which tokens may be drawn', () => {
  // Probabilities 0.5, 0.25, 0.15, 0.1.
  const logits = [0.25, 0.5, 0.1, 0.15].map(Math.log);

  it('top-k keeps the k likeliest, likeliest first', () => {
    assert.deepEqual(kept(logits, { topK: 2 }), [1, 0]);
  });

  it('top-p keeps the smallest set that reaches p', () => {
    assert.deepEqual(kept(logits, { topP: 0.7 }), [1, 0]);
    assert.deepEqual(kept(logits, { topP: 0.8 }), [1, 0, 3]);
  });

  it('top-p keeps the likeliest however small p is', () => {
    assert.deepEqual(kept(logits, { topP: 1e-9 }), [1]);
  });

  it('top-p counts within what top-k left', () => {
    // Of the first two, 0.5 / 0.75 = 0.67 of the probability is the first's.
    assert.deepEqual(kept(logits, { topK: 2, topP: 0.6 }), [1]);
    assert.deepEqual(kept(logits, { topK: 2, topP: 0.7 }), [1, 0]);
  });

  it('min-p drops what is less likely than its share of the likeliest', () => {
    assert.deepEqual(kept(logits, { minP: 0.31 }), [1, 0]);
    assert.deepEqual(kept(logits, { minP: 0.29 }), [1, 0, 3]);
  });

  it('among equals the lower index comes first', () => {
    assert.deepEqual(kept([1, 1, 1, 1], { topK: 2 }), [0, 1]);
  });

  it('a k larger than the vocabulary keeps all', () => {
    assert.equal(kept(logits, { topK: 100 }).length, 4);
  });

  it('agrees with the rules as transformers writes them, on random logits', () => {
    const random = new SeededRandom(1);
    for (let trial = 0; trial < 300; trial++) {
      const size = 2 + (random.nextUint32() % 60);
      const row = Array.from({ length: size }, () => 12 * (random.nextFloat() - 0.5));
      const rules = {
        topK: trial % 3 === 0 ? 0 : 1 + (random.nextUint32() % size),
        topP: trial % 4 === 0 ? 1 : random.nextFloat(),
        minP: trial % 5 === 0 ? 0 : random.nextFloat() ** 3,
      };
      const ascending = kept(row, rules).toSorted((a, b) => a - b);
      assert.deepEqual(ascending, reference(row, rules), JSON.stringify({ rules, row }));
    }
  });
});
