import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import type { HammerTask } from './workers/hammer.ts';
import type { LockKeeperTask } from './workers/lock-keeper.ts';
import type { ReleaserTask } from './workers/releaser.ts';
import type { WaiterTask } from './workers/waiter.ts';

const KIB = 1024;
const ALICE = 1;
const BOB = 2;

const start = (file: string, workerData: HammerTask | LockKeeperTask | ReleaserTask | WaiterTask): Worker =>
  new Worker(new URL(`./workers/${file}.ts`, import.meta.url), { workerData });

const fullArena = () => {
  const arena = SharedArena.create({ name: 'full', bytes: 4 * KIB, blockBytes: KIB });
  return { arena, all: arena.tryAllocate('uint8', [4 * KIB], ALICE) ?? assert.fail('no room') };
};

test('two threads hammer one arena without corruption and leave it empty', async () => {
  const arena = SharedArena.create({
    name: 'hammered',
    bytes: 64 * KIB,
    blockBytes: KIB,
    entries: 12,
    holds: 12,
  });
  const corrupt = await Promise.all(
    [ALICE, BOB].map(async (holder) => {
      const worker = start('hammer', { handle: arena.handle(), holder, rounds: 20_000 });
      const [count] = await once(worker, 'message');
      return count;
    }),
  );
  assert.deepEqual(corrupt, [0, 0]);
  assert.deepEqual([arena.stats().usedBytes, arena.stats().tensors], [0, 0]);
  assert.ok(arena.tryAllocate('uint8', [64 * KIB], ALICE));
});

test('a waiting allocation wakes when another thread releases', async () => {
  const { arena, all } = fullArena();
  const worker = start('releaser', { handle: arena.handle(), holder: ALICE });
  const waiting = arena.allocate('uint8', [KIB], BOB);
  worker.postMessage(all);
  assert.equal((await waiting).byteLength, KIB);
  await once(worker, 'exit');
});

test('a thread that has nothing to do but wait for room stays alive until it has it', async () => {
  const { arena, all } = fullArena();
  const worker = start('waiter', { handle: arena.handle(), bytes: KIB, holder: BOB });
  let exited = false;
  worker.once('exit', () => {
    exited = true;
  });
  await once(worker, 'message');
  // Its idle time grows only when its event loop has run dry and yet something keeps it.
  const idleTime = (): number => worker.performance.eventLoopUtilization().idle;
  const before = idleTime();
  while (!exited && idleTime() <= before) await setImmediate();
  arena.release(all, ALICE);
  assert.equal(exited, false);
  const [tensor] = await once(worker, 'message');
  assert.equal(tensor.byteLength, KIB);
  if (!exited) await once(worker, 'exit');
});

test('the death of a holder wakes who waits for room', async () => {
  const { arena } = fullArena();
  const waiting = arena.allocate('uint8', [KIB], BOB);
  arena.releaseAll(ALICE);
  assert.equal((await waiting).byteLength, KIB);
});

test('an aborted allocation rejects and leaves room to others', async () => {
  const { arena, all } = fullArena();
  const controller = new AbortController();
  const waiting = arena.allocate('uint8', [KIB], BOB, { signal: controller.signal });
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await assert.rejects(waiting, { name: 'ActorError', code: 'ABORTED', cause: reason });
  arena.release(all, ALICE);
  assert.equal(arena.stats().tensors, 0);
});

test('an allocation with an aborted signal takes nothing, even where there is room', async () => {
  const arena = SharedArena.create({ name: 'empty', bytes: KIB });
  await assert.rejects(arena.allocate('uint8', [1], BOB, { signal: AbortSignal.abort() }), {
    code: 'ABORTED',
  });
  assert.equal(arena.stats().tensors, 0);
});

test('a wait can follow an aborted one, whose engine-side wait is still pending', async () => {
  const { arena, all } = fullArena();
  const controller = new AbortController();
  const aborted = arena.allocate('uint8', [KIB], BOB, { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { code: 'ABORTED' });
  const waiting = arena.allocate('uint8', [KIB], BOB);
  arena.release(all, ALICE);
  assert.equal((await waiting).byteLength, KIB);
});

test('many waiters of one thread all get their turn', async () => {
  const { arena, all } = fullArena();
  const order: number[] = [];
  const waiters = [1, 2, 3, 4, 5, 6, 7, 8].map(async (index) => {
    const tensor = await arena.allocate('uint8', [2 * KIB], BOB);
    order.push(index);
    arena.release(tensor, BOB);
  });
  arena.release(all, ALICE);
  await Promise.all(waiters);
  assert.deepEqual(order.sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a thread killed while it waits leaves an arena that others can use', async () => {
  const { arena, all } = fullArena();
  const worker = start('waiter', { handle: arena.handle(), bytes: KIB, holder: BOB });
  await once(worker, 'message');
  await worker.terminate();
  arena.release(all, ALICE);
  assert.equal(arena.stats().usedBytes, 0);
  assert.ok(await arena.allocate('uint8', [KIB], ALICE));
});

test('a thread killed with the lock in hand is repaired: what was held stays, the rest is free', async () => {
  const arena = SharedArena.create({ name: 'broken', bytes: 8 * KIB, blockBytes: KIB });
  const gone = arena.tryAllocate('uint8', [2 * KIB], ALICE) ?? assert.fail('no room');
  const kept = arena.tryAllocate('uint8', [3 * KIB], ALICE) ?? assert.fail('no room');
  arena.retain(kept, BOB);
  arena.release(gone, ALICE);
  arena.view(kept).fill(42);

  const flag = new SharedArrayBuffer(4);
  const worker = start('lock-keeper', { handle: arena.handle(), flag });
  const { threadId } = worker;
  Atomics.wait(new Int32Array(flag), 0, 0);
  await worker.terminate();

  assert.equal(arena.threadDied(threadId), true);
  assert.equal(arena.threadDied(threadId), false);
  assert.equal(arena.stats().usedBytes, 3 * KIB);
  assert.ok(arena.view(kept).every((byte) => byte === 42));
  assert.throws(() => arena.view(gone), { code: 'TENSOR_RELEASED' });
  assert.equal(arena.tryAllocate('uint8', [4 * KIB], ALICE), undefined);
  assert.ok(arena.tryAllocate('uint8', [3 * KIB], ALICE));
  assert.equal(arena.releaseAll(ALICE), 2);
  assert.equal(arena.release(kept, BOB), true);
  assert.ok(arena.tryAllocate('uint8', [8 * KIB], ALICE));
});

test('threads killed at any moment of their work never cost the others a byte', async () => {
  const arena = SharedArena.create({
    name: 'chaos',
    bytes: 64 * KIB,
    blockBytes: KIB,
    entries: 12,
    holds: 12,
  });
  const kept = arena.tryAllocate('uint8', [3 * KIB], ALICE) ?? assert.fail('no room');
  arena.view(kept).fill(7);
  for (let holder = BOB; holder < BOB + 10; holder++) {
    const worker = start('hammer', { handle: arena.handle(), holder, rounds: Number.POSITIVE_INFINITY });
    const { threadId } = worker;
    while (arena.stats().tensors < 3) await setImmediate();
    await worker.terminate();
    arena.threadDied(threadId);
    arena.releaseAll(holder);
    assert.deepEqual([arena.stats().usedBytes, arena.stats().tensors], [3 * KIB, 1]);
  }
  assert.ok(arena.view(kept).every((byte) => byte === 7));
  assert.ok(arena.tryAllocate('uint8', [61 * KIB], ALICE));
});
