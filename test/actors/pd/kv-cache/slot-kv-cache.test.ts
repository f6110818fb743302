import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KvBudget } from '../../../../actors/pd/kv-cache/kv-budget.ts';
import { capacityFor } from '../../../../actors/pd/kv-cache/kv-capacity.ts';
import { SlotKvCache } from '../../../../actors/pd/kv-cache/slot-kv-cache.ts';
import { count, fresh, held, join, past, port } from './support/slots.ts';

describe('slots', () => {
  it('keep each row’s tokens through joins, steps and departures', () => {
    const cache = new SlotKvCache([port], 1000);
    join(cache, 1, 2, 3);
    join(cache, 10);
    join(cache, 20, 21);
    cache.advance(fresh([4], [11], [22]));
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
    cache.remove(0);
    assert.deepEqual(held(cache), []);
  });

  it('grow in place, step by step and by a longer row', () => {
    const cache = new SlotKvCache([port], 4000);
    join(cache, 1);
    join(cache, 101);
    for (let token = 2; token <= 90; token++) cache.advance(fresh([token], [100 + token]));
    join(cache, ...count(700, 201));
    assert.deepEqual(held(cache), [count(90), count(190, 101), count(700, 201)]);
  });

  it('shrink when the longest row has left', () => {
    const cache = new SlotKvCache([port], 4000);
    join(cache, 1, 2);
    join(cache, ...count(900));
    assert.equal(past(cache).capacity, capacityFor(900));
    cache.remove(1);
    assert.equal(past(cache).capacity, capacityFor(2));
    assert.deepEqual(held(cache), [[1, 2]]);
  });

  it('take no more memory than they are given, also when the rows change sizes', () => {
    // Room for one row of 128 or four of 32. 100 tokens make a capacity of 128, which the next rows would keep.
    const cache = new SlotKvCache([port], 128);
    join(cache, ...count(100));
    cache.remove(0);
    for (let row = 0; row < 4; row++) join(cache, row, row);
    assert.deepEqual(held(cache), [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    assert.ok(cache.bytes <= 128 * 2 * 4);
  });

  it('give their memory back when trimmed, and keep what is held', () => {
    const cache = new SlotKvCache([port], 4000);
    join(cache, ...count(500));
    join(cache, 7);
    cache.remove(0);
    const before = cache.bytes;
    assert.equal(cache.trim(), before - cache.bytes);
    assert.equal(cache.bytes, 2 * capacityFor(1) * 4);
    assert.deepEqual(held(cache), [[7]]);
    cache.remove(0);
    cache.trim();
    assert.equal(cache.bytes, 0);
  });

  it('give back what they have not needed for a while, half of it at a time', () => {
    const cache = new SlotKvCache([port], 4000);
    const places = () => cache.bytes / (2 * 4);
    for (let row = 0; row < 8; row++) join(cache, ...count(30));
    for (let row = 7; row > 0; row--) cache.remove(row);
    cache.settle();
    assert.equal(places(), 8 * 32, 'needed since the last time');
    const settled = Array.from({ length: 4 }, () => {
      cache.settle();
      return places();
    });
    assert.deepEqual(settled, [4 * 32, 2 * 32, 32, 32]);
    join(cache, 7, 8);
    assert.deepEqual(held(cache), [count(30), [7, 8]]);
  });

  it('count kvs among their bytes until they join or are dropped', () => {
    const cache = new SlotKvCache([port], 1000);
    const [whole, cut] = [cache.openPrompt(20), cache.openPrompt(20)];
    whole.take(fresh(count(20)), 0, 20);
    assert.equal(cache.bytes, 2 * 20 * 4);
    cut.take(fresh(count(7)), 0, 7);
    cut.take(fresh(count(20, 8)), 0, 13);
    assert.equal(cache.bytes, 2 * 20 * 4 + 2 * capacityFor(20) * 4);
    cache.drop(whole);
    cache.drop(cut);
    assert.equal(cache.bytes, 0);
  });

  it('take a prompt that was run whole, beside others that were padded on the left', () => {
    const cache = new SlotKvCache([port], 1000);
    const [long, short] = [cache.openPrompt(4), cache.openPrompt(2)];
    const outputs = fresh([1, 2, 3, 4], [0, 0, 10, 11]);
    long.take(outputs, 0, 4);
    short.take(outputs, 1, 2);
    cache.join(long);
    cache.join(short);
    assert.deepEqual(held(cache), [
      [1, 2, 3, 4],
      [10, 11],
    ]);
  });

  it('read the same pages of a prompt that was run whole as of one in parts', () => {
    const cache = new SlotKvCache([port], 1000);
    const [whole, cut] = [cache.openPrompt(5), cache.openPrompt(5)];
    whole.take(fresh([0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 2, 3, 4, 5]), 1, 5);
    cut.take(fresh([1, 2]), 0, 2);
    cut.take(fresh([3, 4, 5]), 0, 3);
    const pages = new Float32Array(whole.read(1, 3).buffer);
    assert.deepEqual([...pages], [2, 3, 4, -2, -3, -4]);
    assert.deepEqual(whole.read(1, 3), cut.read(1, 3));
  });

  it('scrubbed, hold nothing of a row that was not finite', () => {
    const cache = new SlotKvCache([port], 1000);
    join(cache, 1);
    join(cache, Number.NaN, Number.NaN, Number.NaN);
    cache.remove(1);
    cache.scrub();
    join(cache, 5);
    assert.ok(past(cache).data.every(Number.isFinite));
    assert.deepEqual(held(cache), [[1], [5]]);
  });

  it('mask what each row does not use, and place the new token behind the capacity', () => {
    const cache = new SlotKvCache([port], 1000);
    join(cache, 1, 2, 3);
    join(cache, 10);
    const mask = cache.stepFeeds().attention_mask;
    assert.ok(mask?.data instanceof BigInt64Array);
    const free = '0'.repeat(29);
    assert.equal([...mask.data].join(''), `111${free}11${free}001`);
  });
});

describe('the keys and values of a prompt', () => {
  it('takes the last tokens of its row: prompts that are run together are padded on the left', () => {
    const cache = new SlotKvCache([port], 1000);
    const outputs = fresh([9, 9, 1], [4, 5, 6]);
    for (const [row, length] of [1, 3].entries()) {
      const kv = cache.openPrompt(length);
      kv.take(outputs, row, length);
      cache.join(kv);
    }
    assert.deepEqual(held(cache), [[1], [4, 5, 6]]);
  });

  it('grows with its parts', () => {
    const cache = new SlotKvCache([port], 1000);
    const kv = cache.openPrompt(300);
    for (let from = 1; from <= 300; from += 50) kv.take(fresh(count(from + 49, from)), 0, 50);
    cache.join(kv);
    assert.deepEqual(held(cache), [count(300)]);
  });

  it('gives blocks that another can take back', () => {
    const cache = new SlotKvCache([port, { ...port, past: 'p2' }], 1000);
    const source = cache.openPrompt(40);
    source.take(fresh(count(40)), 0, 40);
    const target = cache.openPrompt(40);
    for (const from of [0, 16]) target.write(source.read(from, 16), 16);
    target.take(fresh(count(40, 33)), 0, 8);
    cache.join(target);
    assert.deepEqual(held(cache), [count(40)]);
  });
});

describe('the memory budget', () => {
  it('holds rows as long as all of them fit at the longest one’s capacity', () => {
    const budget = new KvBudget(128 * 8, 8);
    assert.ok(budget.holds([100]));
    assert.ok(budget.holds([60, 10]));
    assert.ok(!budget.holds([60, 60, 1]));
    assert.ok(!budget.holds([129]));
    assert.equal(budget.longestOf(1), 128);
  });

  it('names the longest sequence that fits, though capacities come in steps', () => {
    const budget = new KvBudget(1100, 1);
    assert.equal(budget.longestOf(1), 1024);
    assert.ok(budget.holds([budget.longestOf(1)]) && !budget.holds([budget.longestOf(1) + 1]));
  });

  it('grows capacities in steps of an eighth', () => {
    assert.deepEqual(
      [0, 1, 16, 17, 130, 1000, 1025, 2000].map(capacityFor),
      [0, 32, 32, 32, 160, 1024, 1152, 2048],
    );
  });
});
