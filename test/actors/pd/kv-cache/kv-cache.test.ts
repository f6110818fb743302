import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Tensors } from '../../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../../actors/inference/onnxruntime.ts';
import { CONCAT_LAYOUT, GROUP_QUERY_LAYOUT } from '../../../../actors/pd/kv-cache/kv-layout.ts';
import type { KvPort } from '../../../../actors/pd/kv-cache/kv-signature.ts';
import { PlainKvCache } from '../../../../actors/pd/kv-cache/plain-kv-cache.ts';

const port: KvPort = {
  past: 'past_key_values.0.key',
  present: 'present.0.key',
  type: 'float32',
  heads: 1,
  headDim: 1,
};

/** `present` of a prefill or a step: one row of numbers per sequence. */
function present(...rows: readonly (readonly number[])[]): Tensors {
  const length = rows[0]?.length ?? 0;
  return {
    'present.0.key': new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, 1, length, 1]),
  };
}

/** The past that a step feeds, cut to what each row holds; unused places must be finite. */
function held(cache: PlainKvCache): number[][] {
  const past = cache.stepFeeds()['past_key_values.0.key'];
  assert.ok(past?.data instanceof Float32Array);
  assert.ok(past.data.every(Number.isFinite), 'unused places are finite');
  const capacity = past.dims[2] ?? 0;
  const { data } = past;
  return [...cache.lengths].map((length, row) => [...data.subarray(row * capacity, row * capacity + length)]);
}

function mask(cache: PlainKvCache): string[] {
  const feed = cache.stepFeeds().attention_mask;
  assert.ok(feed?.data instanceof BigInt64Array);
  const [rows = 0, width = 0] = feed.dims;
  const text = [...feed.data].join('');
  return Array.from({ length: rows }, (_, row) => text.slice(row * width, (row + 1) * width));
}

describe('the plain KV cache', () => {
  it('keeps each row’s tokens through joins, steps and departures', () => {
    const cache = new PlainKvCache([port], CONCAT_LAYOUT);
    cache.append(present([1, 2, 3]), 3);
    cache.append(present([10]), 1);
    cache.append(present([20, 21]), 2);
    assert.deepEqual(held(cache), [[1, 2, 3], [10], [20, 21]]);
    // Capacity 16: the new tokens stand at index 16.
    const step = [4, 11, 22].map((token) => [...new Array<number>(16).fill(-1), token]);
    cache.advance(present(...step));
    assert.deepEqual(held(cache), [
      [1, 2, 3, 4],
      [10, 11],
      [20, 21, 22],
    ]);
    cache.remove(0);
    assert.deepEqual(held(cache), [
      [20, 21, 22],
      [10, 11],
    ]);
    cache.remove(1);
    assert.deepEqual(held(cache), [[20, 21, 22]]);
  });

  it('masks a Concat export’s unused places and places the new token behind the capacity', () => {
    const cache = new PlainKvCache([port], CONCAT_LAYOUT);
    cache.append(present([1, 2, 3]), 3);
    cache.append(present([10]), 1);
    assert.deepEqual(mask(cache), ['11100000000000001', '10000000000000001']);
  });

  it('places a GroupQueryAttention export’s new token right behind the row’s past', () => {
    const cache = new PlainKvCache([port], GROUP_QUERY_LAYOUT);
    cache.append(present([1, 2, 3]), 3);
    cache.append(present([10]), 1);
    assert.deepEqual(mask(cache), ['1111', '1100']);
    const row = (...values: readonly number[]) => [
      ...values,
      ...new Array<number>(16 - values.length).fill(0),
    ];
    cache.stepFeeds();
    cache.advance(present(row(1, 2, 3, 4), row(10, 11)));
    assert.deepEqual(held(cache), [
      [1, 2, 3, 4],
      [10, 11],
    ]);
  });

  it('a row whose last owner overflowed does not poison the next', () => {
    const cache = new PlainKvCache([port], CONCAT_LAYOUT);
    cache.append(present([Number.NaN, Number.NaN, Number.NaN]), 3);
    cache.remove(0);
    cache.append(present([1]), 1);
    assert.deepEqual(held(cache), [[1]]);
  });

  it('grows with its longest row and shrinks when that has gone', () => {
    const cache = new PlainKvCache([port], CONCAT_LAYOUT);
    cache.append(present([5]), 1);
    const { bytes } = cache;
    cache.append(present(new Array<number>(100).fill(1)), 100);
    assert.ok(cache.bytes >= 2 * 100 * 4);
    cache.remove(1);
    assert.deepEqual(held(cache), [[5]]);
    assert.ok(cache.bytes <= 2 * bytes);
  });

  it('trimming gives back all that no row needs', () => {
    const cache = new PlainKvCache([port], CONCAT_LAYOUT);
    cache.append(present([1, 2]), 2);
    cache.append(present([3]), 1);
    cache.remove(1);
    const before = cache.bytes;
    assert.equal(cache.trim(), before / 2);
    assert.deepEqual(held(cache), [[1, 2]]);
    cache.remove(0);
    cache.trim();
    assert.equal(cache.bytes, 0);
  });
});
