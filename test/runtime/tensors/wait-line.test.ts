import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SharedArena } from '../../../runtime/tensors/arena.ts';

const KIB = 1024;
const ALICE = 1;
const BOB = 2;
const CAROL = 3;

/** Ten blocks of 1 KiB. */
const smallArena = (countsOnly = false): SharedArena =>
  SharedArena.create({ name: 'small', bytes: 10 * KIB, blockBytes: KIB, countsOnly });

const blocks = (...counts: number[]): number[][] => counts.map((count) => [count * KIB]);

/** Whether a promise has settled, after everything that can happen has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  for (let i = 0; i < 20; i++) await turn();
  return done;
}

test('several tensors are taken at once', async () => {
  const arena = smallArena();
  const tensors = await arena.allocateAll('uint8', blocks(3, 4, 3), ALICE);
  assert.deepEqual(
    tensors.map(({ byteLength }) => byteLength / KIB),
    [3, 4, 3],
  );
  assert.equal(arena.stats().usedBytes, 10 * KIB);
});

test('who waits for several tensors holds none of them', async () => {
  const arena = smallArena();
  const [first] = await arena.allocateAll('uint8', blocks(6), ALICE);
  const waiting = arena.allocateAll('uint8', blocks(2, 2, 2), BOB);
  assert.equal(await settled(waiting), false);
  assert.equal(arena.stats().usedBytes, 6 * KIB);
  arena.release(first ?? assert.fail(), ALICE);
  assert.equal((await waiting).length, 3);
});

test('requests that together want more than there is are all served, one after the other', async () => {
  const arena = smallArena();
  const served: string[] = [];
  const request = async (name: string, holder: number) => {
    const tensors = await arena.allocateAll('uint8', blocks(1, 1, 1, 1, 1, 1, 1, 1), holder);
    served.push(name);
    await turn();
    for (const tensor of tensors) arena.release(tensor, holder);
  };
  await Promise.all([request('a', ALICE), request('b', BOB), request('c', CAROL), request('d', ALICE)]);
  assert.deepEqual(served, ['a', 'b', 'c', 'd']);
  assert.equal(arena.stats().tensors, 0);
});

test('a small tensor that fits does not overtake a large one that came before', async () => {
  const arena = smallArena();
  const [first] = await arena.allocateAll('uint8', blocks(5), ALICE);
  const large = arena.allocateAll('uint8', blocks(8), BOB);
  const small = arena.allocateAll('uint8', blocks(1), CAROL);
  assert.equal(await settled(small), false);
  arena.release(first ?? assert.fail(), ALICE);
  assert.equal((await large).length, 1);
  assert.equal((await small).length, 1);
});

test('who gives up makes way', async () => {
  const arena = smallArena();
  await arena.allocateAll('uint8', blocks(5), ALICE);
  const abort = new AbortController();
  const large = arena.allocateAll('uint8', blocks(8), BOB, { signal: abort.signal });
  const small = arena.allocateAll('uint8', blocks(1), CAROL);
  assert.equal(await settled(small), false);
  abort.abort();
  await assert.rejects(large, { code: 'ABORTED' });
  assert.equal((await small).length, 1);
});

test('the places of a holder that died are taken out of the line', async () => {
  const arena = smallArena();
  await arena.allocateAll('uint8', blocks(5), ALICE);
  const abort = new AbortController();
  const dead = arena.allocateAll('uint8', blocks(8), BOB, { signal: abort.signal });
  const small = SharedArena.attach(arena.handle()).allocateAll('uint8', blocks(1), CAROL);
  assert.equal(await settled(small), false);
  arena.releaseAll(BOB);
  assert.equal((await small).length, 1);
  // The thread of the dead would not ask again; here it does, and stands behind all.
  abort.abort();
  await assert.rejects(dead, { code: 'ABORTED' });
});

test('the line holds between arenas of the same memory', async () => {
  const here = smallArena();
  const there = SharedArena.attach(here.handle());
  const [first] = await here.allocateAll('uint8', blocks(10), ALICE);
  const order: string[] = [];
  const second = there.allocateAll('uint8', blocks(10), BOB).then(([tensor]) => {
    order.push('there');
    there.release(tensor ?? assert.fail(), BOB);
  });
  const third = here.allocateAll('uint8', blocks(1), CAROL).then(() => order.push('here'));
  here.release(first ?? assert.fail(), ALICE);
  await Promise.all([second, third]);
  assert.deepEqual(order, ['there', 'here']);
});

test('more than there is in all is an error, not a wait', async () => {
  const arena = smallArena();
  await assert.rejects(arena.allocateAll('uint8', blocks(6, 6), ALICE), {
    code: 'TENSOR_TOO_LARGE',
    details: { arena: 'small', bytes: 12 * KIB, capacityBytes: 10 * KIB },
  });
});

test('an arena that only counts has books and no memory', async () => {
  const arena = smallArena(true);
  assert.equal(arena.handle().data.byteLength, 0);
  const [tensor] = await arena.allocateAll('uint8', blocks(7), ALICE);
  assert.deepEqual([arena.stats().usedBytes, arena.stats().capacityBytes], [7 * KIB, 10 * KIB]);
  assert.equal(arena.tryAllocate('uint8', [4 * KIB], BOB), undefined);
  arena.release(tensor ?? assert.fail(), ALICE);
  assert.equal(arena.stats().tensors, 0);
});
