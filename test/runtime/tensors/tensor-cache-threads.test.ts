import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import { SharedTensorCache } from '../../../runtime/tensors/tensor-cache.ts';
import type { CacheUserTask } from './workers/cache-user.ts';

const KIB = 1024;
const CACHE = 1;
const ALICE = 2;
const BOB = 3;

function shared(cacheBytes: number): { arena: SharedArena; cache: SharedTensorCache } {
  const arena = SharedArena.create({ name: 'arena', bytes: 256 * KIB, blockBytes: KIB });
  return {
    arena,
    cache: SharedTensorCache.create(arena, { name: 'cache', bytes: cacheBytes, holder: CACHE }),
  };
}

type Shared = ReturnType<typeof shared>;

function user({ arena, cache }: Shared, task: Omit<CacheUserTask, 'arena' | 'cache'>): Worker {
  const workerData: CacheUserTask = { ...task, arena: arena.handle(), cache: cache.handle() };
  return new Worker(new URL('./workers/cache-user.ts', import.meta.url), { workerData });
}

async function report(worker: Worker): Promise<{ wrong: number; made: number }> {
  const [message] = await once(worker, 'message');
  return message;
}

describe('a tensor cache between threads', () => {
  it('never answers with another key’s tensor, while it drops and makes all the time', async () => {
    const both = shared(20 * KIB);
    const workers = [ALICE, BOB].map((holder) => user(both, { holder, rounds: 10_000, contents: 40 }));
    const reports = await Promise.all(workers.map(report));
    assert.deepEqual(
      reports.map(({ wrong }) => wrong),
      [0, 0],
    );
    const { hits, misses, evictions, bytes } = both.cache.stats();
    assert.equal(hits + misses, 20_000);
    assert.ok(hits > 0 && evictions > 0 && bytes <= 20 * KIB);
    both.cache.clear();
    assert.deepEqual([both.arena.stats().tensors, both.arena.stats().usedBytes], [0, 0]);
  });

  it('with room for all, makes each tensor once for all threads', async () => {
    const both = shared(200 * KIB);
    const workers = [ALICE, BOB].map((holder) => user(both, { holder, rounds: 5_000, contents: 40 }));
    const made = (await Promise.all(workers.map(report))).map((each) => each.made);
    assert.equal(made[0] ?? 0, 40 - (made[1] ?? 0));
  });

  it('what a thread was making when it died is made by one that waited for it', async () => {
    const both = shared(20 * KIB);
    const worker = user(both, { holder: ALICE, rounds: 1, contents: 1, stickAt: 9 });
    await once(worker, 'message');
    const key = createHash('sha256').update('9').digest('hex');
    const waiting = both.cache.getOrMake(key, BOB, async () => {
      return both.arena.tryAllocate('int32', [1], BOB) ?? assert.fail('no room');
    });
    const { threadId } = worker;
    await worker.terminate();
    both.cache.threadDied(threadId);
    both.cache.releaseClaims(ALICE);
    assert.deepEqual((await waiting).shape, [1]);
  });
});
