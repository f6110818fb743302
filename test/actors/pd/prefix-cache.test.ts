import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import type { PdStats } from '../../../actors/pd/engine/pd-stats.ts';
import { PrefixCache } from '../../../actors/pd/prefix-cache/prefix-cache.ts';
import { BLOCK, prefixKeys } from '../../../actors/pd/prefix-cache/prefix-keys.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

const IMAGE = 9;

/** A prompt's keys and values of which every token is one word. */
class Words {
  words: number[];
  readonly capacity = 0;
  /** Memory that was read into, and how often it was so again. */
  readonly given: Set<Uint32Array>;
  reused = 0;

  constructor(words: readonly number[] = [], given = new Set<Uint32Array>()) {
    this.words = [...words];
    this.given = given;
  }

  get length(): number {
    return this.words.length;
  }

  read(from: number, count: number, into = new Uint32Array(count)): Uint32Array {
    this.reused += Number(this.given.has(into));
    this.given.add(into);
    into.set(this.words.slice(from, from + count));
    return into;
  }

  write(words: Uint32Array): void {
    this.words.push(...words);
  }

  past = () => ({});
  take = () => {};
}

const ids = (length: number, seed = 0) => Int32Array.from({ length }, (_, i) => 100 + i + seed);
const keysOf = (prompt: Int32Array) => prefixKeys(prompt, IMAGE, []);

describe('names of blocks', () => {
  const image = (hash: string, tokens = 20) => ({ hash, tokens });
  const prompt = Int32Array.from({ length: 3 * BLOCK }, (_, i) => (i >= 4 && i < 24 ? IMAGE : i));

  it('agree as far as the prompts do, and never after', () => {
    const one = keysOf(ids(4 * BLOCK));
    const other = ids(4 * BLOCK);
    other[2 * BLOCK] = 1;
    assert.deepEqual(
      keysOf(other).map((key, block) => key === one[block]),
      [true, true, false, false],
    );
  });

  it('have the full length of SHA-256', () => {
    for (const key of keysOf(ids(2 * BLOCK))) assert.match(key, /^[0-9a-f]{64}$/);
  });

  it('differ between images, though their tokens are the same ids', () => {
    const [cat, dog] = ['cat', 'dog'].map((hash) => prefixKeys(prompt, IMAGE, [image(hash)]));
    assert.equal(cat?.length, 3);
    for (const [block, key] of (cat ?? []).entries()) assert.notEqual(key, dog?.[block]);
  });

  it('differ when the same images stand in another order, or end at another token', () => {
    const two = [image('a', 10), image('b', 10)];
    const keys = [two, [...two].reverse(), [image('a', 12), image('b', 8)]].map(
      (images) => prefixKeys(prompt, IMAGE, images)[1],
    );
    assert.equal(new Set(keys).size, 3);
  });

  it('are not given where an image has no hash', () => {
    assert.deepEqual(prefixKeys(prompt, IMAGE, [image('')]), []);
  });
});

describe('the prefix cache', () => {
  const blockBytes = BLOCK * 4;
  const prompt = ids(3 * BLOCK + 5);
  const keys = keysOf(prompt);

  it('gives back the whole blocks of a prompt that it was offered', () => {
    const cache = new PrefixCache(1000);
    cache.offer(keys, 0, new Words([...prompt]));
    const kv = new Words();
    assert.equal(cache.restore(keys, prompt.length, kv), 3 * BLOCK);
    assert.deepEqual(kv.words, [...prompt.subarray(0, 3 * BLOCK)]);
  });

  it('reuses the memory of what it dropped, and of nothing else', () => {
    const cache = new PrefixCache(5 * blockBytes);
    const given = new Set<Uint32Array>();
    let reused = 0;
    for (let one = 0; one < 6; one++) {
      const own = ids(3 * BLOCK + 5, 1000 * one);
      const kv = new Words([...own], given);
      cache.offer(keysOf(own), 0, kv);
      reused += kv.reused;
      const restored = new Words();
      cache.restore(keysOf(own), own.length, restored);
      assert.deepEqual(restored.words, [...own.subarray(0, 3 * BLOCK)]);
    }
    assert.ok(reused > 0 && given.size <= 6, `${given.size} blocks of memory`);
  });

  it('leaves the last token to be run, for its logits', () => {
    const cache = new PrefixCache(1000);
    cache.offer(keys, 0, new Words([...prompt]));
    assert.equal(cache.restore(keys, 3 * BLOCK, new Words()), 2 * BLOCK);
  });

  it('takes a prompt part by part', () => {
    const cache = new PrefixCache(1000);
    for (const [from, to] of [
      [0, 10],
      [10, 30],
      [30, 53],
    ] as const) {
      cache.offer(keys, from, new Words([...prompt.subarray(0, to)]));
    }
    assert.equal(cache.cachedTokens(keys, prompt.length), 3 * BLOCK);
  });

  it('is bounded in bytes, and drops ends before beginnings, the oldest prompt first', () => {
    const cache = new PrefixCache(4 * blockBytes);
    const other = ids(3 * BLOCK + 5, 1000);
    cache.offer(keys, 0, new Words([...prompt]));
    cache.offer(keysOf(other), 0, new Words([...other]));
    assert.equal(cache.bytes, 4 * blockBytes);
    assert.equal(cache.cachedTokens(keysOf(other), other.length), 3 * BLOCK);
    assert.equal(cache.cachedTokens(keys, prompt.length), BLOCK);
  });

  it('keeps nothing when it may not, and nothing when cleared', () => {
    const none = new PrefixCache(0);
    none.offer(keys, 0, new Words([...prompt]));
    assert.equal(none.cachedTokens(keys, prompt.length), 0);
    const some = new PrefixCache(1000);
    some.offer(keys, 0, new Words([...prompt]));
    assert.equal(some.clear(), 3 * blockBytes);
    assert.equal(some.cachedTokens(keys, prompt.length), 0);
  });

  it('counts hits, misses and tokens', () => {
    const cache = new PrefixCache(1000);
    cache.restore(keys, prompt.length, new Words());
    cache.offer(keys, 0, new Words([...prompt]));
    cache.restore(keys, prompt.length, new Words());
    assert.deepEqual(cache.stats(), {
      hits: 1,
      misses: 1,
      tokens: 2 * prompt.length,
      cachedTokens: 3 * BLOCK,
      blocks: 3,
      bytes: 3 * blockBytes,
    });
  });
});

describe('prompts that begin like earlier ones', () => {
  let goldens: EncodedGolden[];
  let engine: PdEngine;
  let start: PdStats;
  before(async () => {
    goldens = await encodedGoldens();
    engine = await pilotEngine({ prefixCacheBytes: 64 * 1024 * 1024 });
  });
  after(() => engine.dispose());
  beforeEach(async () => {
    await engine.clearCaches();
    start = engine.stats();
  });

  async function ask(golden: EncodedGolden): Promise<RecordingSink> {
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    await runToEnd(engine);
    return sink;
  }

  it('are run only where they differ, and answered the same', async () => {
    for (const golden of goldens) await ask(golden);
    const first = engine.stats();
    for (const golden of goldens) {
      const sink = await ask(golden);
      assert.deepEqual(sink.tokenIds, golden.tokenIds);
      const { cachedTokens, promptTokens } = sink.summary.usage;
      assert.equal(cachedTokens, Math.floor((promptTokens - 1) / BLOCK) * BLOCK);
    }
    const again = engine.stats().prefillTokens - first.prefillTokens;
    assert.ok(again < (first.prefillTokens - start.prefillTokens) / 2);
    const { hits, misses } = engine.stats().prefixCache;
    assert.ok(hits - start.prefixCache.hits >= goldens.length && misses > 0);
  });

  it('a question about another image, with the very same ids, is not answered for the first', async () => {
    const asked = goldens.filter(({ question: text }) => text === goldens[0]?.question);
    const [one] = asked;
    const two = asked.find(({ greedy }) => greedy !== one?.greedy);
    assert.ok(one && two);
    assert.deepEqual(one.promptIds, two.promptIds);
    await ask(one);
    const sink = await ask(two);
    assert.deepEqual(sink.tokenIds, two.tokenIds);
    assert.equal(sink.summary.usage.cachedTokens, 0);
  });

  it('another question about the same image finds the image', async () => {
    const [one] = goldens;
    const two = goldens.find(({ question: text }) => text !== one?.question);
    assert.ok(one && two);
    const { tokenIds } = await ask({ ...two, embeddings: one.embeddings });
    await engine.clearCaches();
    await ask(one);
    const sink = await ask({ ...two, embeddings: one.embeddings });
    assert.ok(sink.summary.usage.cachedTokens >= BLOCK);
    assert.deepEqual(sink.tokenIds, tokenIds);
  });

  it('are run whole once the caches were cleared', async () => {
    const [golden] = goldens;
    assert.ok(golden);
    await ask(golden);
    assert.ok(engine.stats().prefixCache.bytes > 0);
    await engine.clearCaches();
    assert.equal(engine.stats().prefixCache.bytes, 0);
    assert.equal((await ask(golden)).summary.usage.cachedTokens, 0);
  });
});
