import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capacityFor } from '../../../../actors/pd/kv-cache/kv-capacity.ts';
import { SlotKvCache } from '../../../../actors/pd/kv-cache/slot-kv-cache.ts';
import { count, fresh, held, port } from './support/slots.ts';

describe('slots lend the memory of a prompt that has joined to the next one', () => {
  const words = (values: readonly number[]) => new Uint32Array(Float32Array.from(values).buffer);

  /** A prompt in two parts, which joins. */
  function joined(cache: SlotKvCache, tokens: readonly number[]): void {
    const kv = cache.openPrompt(tokens.length);
    kv.take(fresh(tokens.slice(0, -1)), 0, tokens.length - 1);
    kv.take(fresh(tokens.slice(-1)), 0, 1);
    cache.join(kv);
  }

  it('which holds what it would hold in its own', () => {
    const cache = new SlotKvCache([port], 1000);
    const prompts = [count(40), count(103, 101), count(250, 201)];
    for (const tokens of prompts) joined(cache, tokens);
    assert.deepEqual(held(cache), prompts);
  });

  it('and count it among their bytes until no prompt has wanted it for a while', () => {
    const cache = new SlotKvCache([port], 1000);
    joined(cache, count(40));
    cache.remove(0);
    const rows = cache.bytes - capacityFor(40) * 4;
    cache.settle();
    assert.equal(cache.bytes, rows + capacityFor(40) * 4, 'it was wanted');
    cache.settle();
    assert(cache.bytes <= rows, `${cache.bytes} of ${rows}`);
  });

  it('and not that of one that was dropped', () => {
    const cache = new SlotKvCache([port], 1000);
    const kv = cache.openPrompt(40);
    kv.take(fresh(count(20)), 0, 20);
    cache.drop(kv);
    assert.equal(cache.bytes, 0);
  });

  it('and not before it has been read by those who are to', () => {
    const cache = new SlotKvCache([port], 1000, true);
    const kv = cache.openPrompt(40);
    kv.take(fresh(count(39)), 0, 39);
    kv.take(fresh([40]), 0, 1);
    const read = kv.toBeRead();
    cache.join(kv);
    joined(cache, count(140, 101));
    assert.deepEqual([...kv.read(0, 40)], [...words(count(40)), ...words(count(40).map((one) => -one))]);
    const [before] = cache.openPrompt(40).share().memory;
    read();
    const [after] = cache.openPrompt(40).share().memory;
    assert.notEqual(before, after);
  });

  it('also where other threads use it, with the capacity that the next one needs', () => {
    const cache = new SlotKvCache([port], 1000, true);
    const long = cache.openPrompt(100);
    const { memory } = long.share();
    long.take(fresh(count(99)), 0, 99);
    long.take(fresh([100]), 0, 1);
    cache.join(long);
    const next = cache.openPrompt(40).share();
    assert.deepEqual(next.memory, memory);
    assert.equal(next.memory[0], memory[0]);
    assert.equal(next.capacity, capacityFor(40));
  });

  it('until it is trimmed', () => {
    const cache = new SlotKvCache([port], 1000);
    joined(cache, count(40));
    cache.remove(0);
    cache.trim();
    assert.equal(cache.bytes, 0);
  });

  it('but not after numbers that were not finite', () => {
    const cache = new SlotKvCache([port], 1000);
    joined(cache, Array(40).fill(Number.NaN));
    cache.remove(0);
    cache.scrub();
    const kv = cache.openPrompt(40);
    kv.take(fresh(count(20)), 0, 20);
    const past = Object.values(kv.past())[0]?.data;
    assert(past instanceof Float32Array && past.every(Number.isFinite));
  });
});
