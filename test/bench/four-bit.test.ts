import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOCK, fourBit } from '../../bench/generated-model/four-bit.ts';
import { randomWeights } from '../../bench/generated-model/random-weights.ts';

describe('fourBit', () => {
  it('keeps each weight to half a level, and the largest of a block exactly', () => {
    const weights = randomWeights('any', 4 * BLOCK, 0.1);
    const restored = dequantized(weights);
    for (let start = 0; start < weights.length; start += BLOCK) {
      const block = [...weights.subarray(start, start + BLOCK)];
      const extreme = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      const step = Math.abs(extreme) / 8;
      for (const [i, weight] of block.entries()) {
        const error = Math.abs(weight - (restored[start + i] ?? 0));
        // 8 levels on the far side of zero, 7 on the other: there the end may be a whole level away.
        assert.ok(error <= step * (weight * extreme < 0 ? 1 : 0.5001), `${weight} is off by ${error}`);
      }
      assert.equal(restored[start + block.indexOf(extreme)], extreme);
    }
  });

  it('keeps a block of zeros', () => {
    assert.deepEqual(dequantized(new Float32Array(BLOCK)), new Array(BLOCK).fill(0));
  });

  it('refuses what is no whole number of blocks', () => {
    assert.throws(() => fourBit(new Float32Array(BLOCK + 1)), RangeError);
  });
});

/** As the definition of MatMulNBits has it: `(level - 8) × scale`, the first of two levels in the low half. */
function dequantized(weights: Float32Array): number[] {
  const { levels, scales } = fourBit(weights);
  return Array.from(weights, (_, i) => {
    const byte = levels[i >> 1] ?? 0;
    const level = i % 2 === 0 ? byte & 15 : byte >> 4;
    return (level - 8) * (scales[Math.floor(i / BLOCK)] ?? 0) + 0;
  });
}
