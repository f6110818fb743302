import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../../runtime/tensors/shared-tensor.ts';
import { SharedTensorCache } from '../../../runtime/tensors/tensor-cache.ts';

const KIB = 1024;
const CACHE = 1;
const ALICE = 2;
const BOB = 3;

const digest = (content: string): string => createHash('sha256').update(content).digest('hex');
const A = digest('a');
const B = digest('b');
const C = digest('c');

describe('a cache of shared tensors', () => {
  let arena: SharedArena;
  let cache: SharedTensorCache;
  let made: number;

  beforeEach(() => {
    arena = SharedArena.create({ name: 'arena', bytes: 64 * KIB, blockBytes: KIB });
    cache = cacheOf(4 * KIB);
    made = 0;
  });

  function cacheOf(bytes: number, rows?: number): SharedTensorCache {
    return SharedTensorCache.create(arena, {
      name: 'cache',
      bytes,
      holder: CACHE,
      ...(rows === undefined ? {} : { rows }),
    });
  }

  /** Makes tensors of so many KiB, filled with `mark`. */
  const make =
    (holder: number, kib = 1, mark = 7) =>
    async (): Promise<SharedTensor> => {
      made += 1;
      const tensor = arena.tryAllocate('int32', [kib, 256], holder) ?? assert.fail('no room');
      arena.view(tensor).fill(mark);
      return tensor;
    };
  const never = async (): Promise<SharedTensor> => assert.fail('made although it was known');

  it('finds what another holder has made: the same memory, type and shape', async () => {
    const first = await cache.getOrMake(A, ALICE, make(ALICE));
    const second = await cache.getOrMake(A, BOB, never);
    assert.deepEqual(second, first);
    assert.deepEqual(cache.find(A, BOB), first);
  });

  it('keeps a tensor when all who used it have let go', async () => {
    const tensor = await cache.getOrMake(A, ALICE, make(ALICE));
    arena.release(tensor, ALICE);
    const found = cache.find(A, BOB) ?? assert.fail('gone');
    assert.equal(arena.view(found)[0], 7);
  });

  it('hands out one hold for each answer, which is the caller’s to release', async () => {
    const tensor = await cache.getOrMake(A, ALICE, make(ALICE));
    await cache.getOrMake(A, ALICE, never);
    cache.clear();
    assert.equal(arena.release(tensor, ALICE), true);
    assert.equal(arena.release(tensor, ALICE), true);
    assert.equal(arena.release(tensor, ALICE), false);
    assert.equal(arena.stats().tensors, 0);
  });

  it('finds nothing for a digest that differs in its last bit alone', async () => {
    await cache.getOrMake(`${'0'.repeat(63)}0`, ALICE, make(ALICE));
    assert.equal(cache.find(`${'0'.repeat(63)}1`, ALICE), undefined);
  });

  it('finds nothing for a digest that differs in its first bit alone', async () => {
    await cache.getOrMake(`0${'0'.repeat(63)}`, ALICE, make(ALICE));
    assert.equal(cache.find(`8${'0'.repeat(63)}`, ALICE), undefined);
  });

  for (const key of ['', 'a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), 'g'.repeat(64)]) {
    it(`refuses ${JSON.stringify(key.slice(0, 8))}… of ${key.length} characters as a key`, async () => {
      assert.throws(() => cache.find(key, ALICE), RangeError);
      await assert.rejects(cache.getOrMake(key, ALICE, make(ALICE)), RangeError);
      assert.equal(made, 0);
    });
  }

  it('is bounded in bytes: the least recently used goes first', async () => {
    await cache.getOrMake(A, ALICE, make(ALICE, 2));
    await cache.getOrMake(B, ALICE, make(ALICE, 2));
    cache.find(A, ALICE);
    await cache.getOrMake(C, ALICE, make(ALICE, 1));
    assert.equal(cache.find(B, ALICE), undefined);
    assert.ok(cache.find(A, ALICE));
    assert.ok(cache.find(C, ALICE));
    const { bytes, entries, evictions } = cache.stats();
    assert.deepEqual({ bytes, entries, evictions }, { bytes: 3 * KIB, entries: 2, evictions: 1 });
  });

  it('hands out a tensor larger than itself, and does not keep it', async () => {
    const large = await cache.getOrMake(A, ALICE, make(ALICE, 5));
    assert.equal(arena.view(large)[0], 7);
    assert.equal(cache.find(A, ALICE), undefined);
    assert.equal(cache.stats().bytes, 0);
  });

  it('makes a tensor once for all who ask at the same time', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = async () => {
      await gate.promise;
      return await make(ALICE)();
    };
    const asking = [
      cache.getOrMake(A, ALICE, slow),
      cache.getOrMake(A, BOB, never),
      cache.getOrMake(A, ALICE, never),
    ];
    gate.resolve();
    const [first, ...others] = await Promise.all(asking);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(made, 1);
    const { hits, misses, hitRate } = cache.stats();
    assert.deepEqual({ hits, misses, hitRate }, { hits: 2, misses: 1, hitRate: 2 / 3 });
  });

  it('a failure is its own caller’s; of those who waited one makes it', async () => {
    const gate = Promise.withResolvers<SharedTensor>();
    const own = cache.getOrMake(A, ALICE, () => gate.promise);
    const waiting = [cache.getOrMake(A, BOB, make(BOB)), cache.getOrMake(A, BOB, make(BOB))];
    gate.reject(new Error('cancelled'));
    await assert.rejects(own, /cancelled/);
    const [first, second] = await Promise.all(waiting);
    assert.deepEqual(first, second);
    assert.equal(made, 1);
  });

  it('when nobody can make it, everybody fails and nobody hangs', async () => {
    const failing = async (): Promise<SharedTensor> => {
      throw new Error('no memory');
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => cache.getOrMake(A, ALICE, failing)));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.ok(await cache.getOrMake(A, ALICE, make(ALICE)));
  });

  it('a wait ends when its signal aborts, and the tensor is made all the same', async () => {
    const gate = Promise.withResolvers<SharedTensor>();
    const own = cache.getOrMake(A, ALICE, () => gate.promise);
    const abort = new AbortController();
    const waiting = cache.getOrMake(A, BOB, never, abort.signal);
    abort.abort();
    await assert.rejects(waiting, { code: 'ABORTED' });
    gate.resolve(await make(ALICE)());
    assert.ok(await own);
  });

  it('a dead claimant’s tensor is made by one who waited', async () => {
    void cache.getOrMake(A, ALICE, () => new Promise(() => {}));
    const waiting = cache.getOrMake(A, BOB, make(BOB));
    cache.releaseClaims(ALICE);
    assert.ok(await waiting);
    assert.equal(made, 1);
  });

  it('the death of another than the claimant changes nothing', async () => {
    const gate = Promise.withResolvers<SharedTensor>();
    const own = cache.getOrMake(A, ALICE, () => gate.promise);
    const waiting = cache.getOrMake(A, BOB, never);
    cache.releaseClaims(BOB + 1);
    gate.resolve(await make(ALICE)());
    assert.deepEqual(await waiting, await own);
  });

  it('gives room in the arena when it is asked to, the oldest first', async () => {
    for (const key of [A, B]) arena.release(await cache.getOrMake(key, ALICE, make(ALICE)), ALICE);
    assert.equal(cache.evict(), true);
    assert.equal(cache.find(A, BOB), undefined);
    assert.equal(arena.stats().tensors, 1);
    assert.equal(cache.evict(), true);
    assert.equal(cache.evict(), false);
  });

  it('clearing lets go of what is kept, says how much, and leaves claims alone', async () => {
    const gate = Promise.withResolvers<SharedTensor>();
    const own = cache.getOrMake(B, ALICE, () => gate.promise);
    arena.release(await cache.getOrMake(A, ALICE, make(ALICE)), ALICE);
    assert.equal(cache.clear(), KIB);
    assert.equal(arena.stats().tensors, 0);
    gate.resolve(await make(ALICE)());
    await own;
    assert.ok(cache.find(B, BOB));
  });

  it('with all its rows in use, makes room for a new key', async () => {
    cache = cacheOf(64 * KIB, 2);
    for (const key of [A, B, C]) await cache.getOrMake(key, ALICE, make(ALICE));
    assert.equal(cache.find(A, ALICE), undefined);
    assert.ok(cache.find(C, ALICE));
  });

  it('with all its rows claimed, makes a tensor that it cannot keep', async () => {
    cache = cacheOf(64 * KIB, 1);
    const gate = Promise.withResolvers<SharedTensor>();
    const own = cache.getOrMake(A, ALICE, () => gate.promise);
    assert.ok(await cache.getOrMake(B, BOB, make(BOB)));
    assert.equal(cache.find(B, BOB), undefined);
    gate.resolve(await make(ALICE)());
    await own;
  });

  it('of 0 bytes is off: everybody makes a tensor, and nothing is kept', async () => {
    cache = cacheOf(0);
    await Promise.all([cache.getOrMake(A, ALICE, make(ALICE)), cache.getOrMake(A, BOB, make(BOB))]);
    assert.equal(made, 2);
    assert.equal(cache.find(A, ALICE), undefined);
  });

  it('starts anew when a thread died in the middle of a change', async () => {
    const tensor = await cache.getOrMake(A, ALICE, make(ALICE));
    arena.release(tensor, ALICE);
    const cells = new Int32Array(cache.handle().memory);
    const deadThread = 77;
    cells[0] = (deadThread + 1) << 1; // the lock, as that thread would own it
    assert.equal(cache.threadDied(deadThread), true);
    assert.equal(cache.find(A, BOB), undefined);
    const { bytes, entries } = cache.stats();
    assert.deepEqual(
      { bytes, entries, tensors: arena.stats().tensors },
      { bytes: 0, entries: 0, tensors: 0 },
    );
  });

  describe('that is retired', () => {
    /** A size that no other test has. */
    const ROWS = 7;

    it('hands its memory to the next of its size, which finds nothing there', async () => {
      const cache = cacheOf(4 * KIB, ROWS);
      const { memory } = cache.handle();
      await cache.getOrMake(A, ALICE, make(ALICE));
      cache.retire();
      cache.retire();
      const next = cacheOf(4 * KIB, ROWS);
      assert.equal(next.handle().memory, memory);
      assert.equal(next.find(A, BOB), undefined);
      assert.equal(next.stats().misses, 0);
      assert.notEqual(cacheOf(4 * KIB, ROWS).handle().memory, memory);
    });

    it('lets go of its tensors, keeps its counts, and sees nothing of the next one', async () => {
      const cache = cacheOf(4 * KIB, ROWS);
      const tensor = await cache.getOrMake(A, ALICE, make(ALICE));
      arena.release(tensor, ALICE);
      cache.retire();
      assert.equal(arena.stats().tensors, 0);
      const next = cacheOf(4 * KIB, ROWS);
      await next.getOrMake(A, ALICE, make(ALICE));
      assert.equal(cache.find(A, BOB), undefined);
      assert.equal(cache.clear(), 0);
      const { misses, entries, bytes } = cache.stats();
      assert.deepEqual({ misses, entries, bytes }, { misses: 1, entries: 0, bytes: 0 });
      assert.equal(next.stats().entries, 1);
    });

    it('still lets a tensor be made that is kept by its maker alone', async () => {
      const cache = cacheOf(4 * KIB, ROWS);
      cache.retire();
      const tensor = await cache.getOrMake(A, ALICE, make(ALICE));
      assert.equal(arena.release(tensor, ALICE), true);
    });
  });
});
