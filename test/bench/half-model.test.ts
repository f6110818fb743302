import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { halfToNumber } from '../../actors/model/onnx/half-to-number.ts';
import { toHalves } from '../../bench/half-model/half.ts';
import { makeHalfModel } from '../../bench/half-model/make-half-model.ts';
import { DEFAULT_MODEL_DIRECTORY, Troupe } from '../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../support/default-golden.ts';

describe('numbers in half precision', () => {
  it('what a half can hold stays as it is, zeros, subnormals and infinities too', () => {
    const infinity = 0x7c00;
    const patterns = Uint16Array.from({ length: 2 * (infinity + 1) }, (_, index) =>
      index <= infinity ? index : 0x8000 | (index - infinity - 1),
    );
    assert.deepEqual(toHalves(Float32Array.from(patterns, halfToNumber)), patterns);
  });

  it('what lies between goes to the nearer one, and halfway to the even one', () => {
    const ulp = 2 ** -10;
    const halves = (...values: number[]) => [...toHalves(Float32Array.from(values))].map(halfToNumber);
    assert.deepEqual(halves(1 + 0.4 * ulp, 1 + 0.6 * ulp), [1, 1 + ulp]);
    assert.deepEqual(halves(1 + 0.5 * ulp, 1 + 1.5 * ulp, -1 - 1.5 * ulp), [1, 1 + 2 * ulp, -1 - 2 * ulp]);
    assert.deepEqual(halves(2 - 0.25 * ulp, 2 ** -25, 1.5 * 2 ** -24), [2, 0, 2 ** -23]);
    assert.deepEqual(halves(65_519, 65_520, Number.NaN), [65_504, Number.POSITIVE_INFINITY, Number.NaN]);
  });
});

it('the embedded model in half precision answers as in 32 bits, with keys and values in half precision', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-half-'));
  try {
    await makeHalfModel(DEFAULT_MODEL_DIRECTORY, folder);
    await using half = await Troupe.start({ model: folder, dtype: 'fp16', pd: { count: 1 } });
    const kvBytes = async (troupe: Troupe) => {
      const { actors } = await troupe.stats();
      return Number(actors.find(({ name }) => name === 'aggregated/0')?.stats?.kvBudgetBytes);
    };
    const asked = defaultGoldens.slice(0, 4);
    for (const one of asked) {
      const { tokenIds } = await half.chat({ messages: defaultGoldenMessages(one) });
      assert.deepEqual(tokenIds, one.tokenIds);
    }
    await using wide = await Troupe.start({ dtype: 'fp32', pd: { count: 1 } });
    assert.equal(2 * (await kvBytes(half)), await kvBytes(wide));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
