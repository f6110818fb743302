import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedArena } from '../../../runtime/tensors/arena.ts';

const KIB = 1024;
const ALICE = 1;
const BOB = 2;

/** Ten blocks of 1 KiB. */
const smallArena = (tables: { entries?: number; holds?: number } = {}): SharedArena =>
  SharedArena.create({ name: 'small', bytes: 10 * KIB, blockBytes: KIB, ...tables });

const fill = (arena: SharedArena, blocks: number, holder = ALICE) =>
  arena.tryAllocate('uint8', [blocks * KIB], holder) ?? assert.fail('no room');

test('a tensor is written through one view and read through another', () => {
  const arena = smallArena();
  const tensor = arena.tryAllocate('float32', [2, 3], ALICE) ?? assert.fail('no room');
  arena.view(tensor).set([1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...SharedArena.attach(arena.handle()).view(tensor)], [1, 2, 3, 4, 5, 6]);
  assert.equal(tensor.byteLength, 24);
});

test('a view has the typed array of its tensor type', () => {
  const arena = smallArena();
  const tagOf = (type: 'float32' | 'float16' | 'int32' | 'int64' | 'uint8') => {
    const tensor = arena.tryAllocate(type, [4], ALICE) ?? assert.fail('no room');
    const view = arena.view(tensor);
    return [view[Symbol.toStringTag], view.length, view.byteOffset % 64];
  };
  assert.deepEqual(tagOf('float32'), ['Float32Array', 4, 0]);
  assert.deepEqual(tagOf('float16'), ['Uint16Array', 4, 0]);
  assert.deepEqual(tagOf('int32'), ['Int32Array', 4, 0]);
  assert.deepEqual(tagOf('int64'), ['BigInt64Array', 4, 0]);
  assert.deepEqual(tagOf('uint8'), ['Uint8Array', 4, 0]);
});

test('the record of a tensor keeps its own shape', () => {
  const shape = [2, 2];
  const tensor = smallArena().tryAllocate('uint8', shape, ALICE);
  shape[0] = 99;
  assert.deepEqual(tensor?.shape, [2, 2]);
});

test('stats count whole blocks and remember the peak', () => {
  const arena = smallArena();
  const first = fill(arena, 3);
  arena.tryAllocate('uint8', [1], ALICE);
  arena.release(first, ALICE);
  assert.deepEqual(arena.stats(), {
    name: 'small',
    capacityBytes: 10 * KIB,
    usedBytes: KIB,
    peakBytes: 4 * KIB,
    tensors: 1,
  });
});

test('an empty tensor takes one block', () => {
  const arena = smallArena();
  const tensor = arena.tryAllocate('float32', [0, 8], ALICE) ?? assert.fail('no room');
  assert.equal(arena.view(tensor).length, 0);
  assert.equal(arena.stats().usedBytes, KIB);
});

test('the memory of a released tensor is used again', () => {
  const arena = smallArena();
  const first = fill(arena, 4);
  arena.release(first, ALICE);
  assert.equal(fill(arena, 4).byteOffset, first.byteOffset);
});

test('a stale record is refused after its row and memory were reused', () => {
  const arena = smallArena();
  const stale = fill(arena, 4);
  arena.release(stale, ALICE);
  const fresh = fill(arena, 4);
  assert.equal(fresh.entry, stale.entry);
  assert.throws(() => arena.view(stale), { code: 'TENSOR_RELEASED' });
  assert.throws(() => arena.retain(stale, BOB), { code: 'TENSOR_RELEASED' });
  assert.equal(arena.release(stale, ALICE), false);
  assert.equal(arena.stats().tensors, 1);
});

test('a second release does nothing', () => {
  const arena = smallArena();
  const tensor = fill(arena, 1);
  assert.equal(arena.release(tensor, ALICE), true);
  assert.equal(arena.release(tensor, ALICE), false);
  assert.equal(arena.stats().tensors, 0);
});

test('a release by one who holds nothing does nothing', () => {
  const arena = smallArena();
  const tensor = fill(arena, 1);
  assert.equal(arena.release(tensor, BOB), false);
  assert.equal(arena.view(tensor).length, KIB);
});

test('a tensor lives until its last holder releases it', () => {
  const arena = smallArena();
  const tensor = fill(arena, 1);
  arena.retain(tensor, BOB);
  arena.release(tensor, ALICE);
  assert.equal(arena.view(tensor).length, KIB);
  arena.release(tensor, BOB);
  assert.throws(() => arena.view(tensor), { code: 'TENSOR_RELEASED' });
});

test('the holds of one holder are counted', () => {
  const arena = smallArena();
  const tensor = fill(arena, 1);
  arena.retain(tensor, ALICE);
  assert.equal(arena.release(tensor, ALICE), true);
  assert.equal(arena.stats().tensors, 1);
  assert.equal(arena.release(tensor, ALICE), true);
  assert.equal(arena.stats().tensors, 0);
});

test('a middle holder of three can go first', () => {
  const arena = smallArena();
  const tensor = fill(arena, 1);
  arena.retain(tensor, BOB);
  arena.retain(tensor, 3);
  assert.equal(arena.release(tensor, BOB), true);
  assert.equal(arena.release(tensor, BOB), false);
  assert.equal(arena.release(tensor, ALICE), true);
  assert.equal(arena.release(tensor, 3), true);
  assert.equal(arena.stats().tensors, 0);
});

test('the death of a holder reclaims what only it held', () => {
  const arena = smallArena();
  const shared = fill(arena, 2, BOB);
  arena.retain(shared, ALICE);
  arena.retain(shared, BOB);
  const own = fill(arena, 2, BOB);
  fill(arena, 2, ALICE);
  assert.equal(arena.releaseAll(BOB), 2);
  assert.equal(arena.stats().usedBytes, 4 * KIB);
  assert.equal(arena.view(shared).length, 2 * KIB);
  assert.throws(() => arena.view(own), { code: 'TENSOR_RELEASED' });
  assert.equal(arena.releaseAll(BOB), 0);
});

test('there is no room when no free run is long enough, and there is after its neighbours are free', () => {
  const arena = smallArena();
  const tensors = Array.from({ length: 10 }, () => fill(arena, 1));
  for (const [index, tensor] of tensors.entries()) {
    if (index % 2 === 0) arena.release(tensor, ALICE);
  }
  assert.equal(arena.stats().usedBytes, 5 * KIB);
  assert.equal(arena.tryAllocate('uint8', [2 * KIB], ALICE), undefined);
  for (const [index, tensor] of tensors.entries()) {
    if (index % 2 === 1) arena.release(tensor, ALICE);
  }
  assert.equal(fill(arena, 10).byteOffset, 0);
});

test('no free entry means no room', () => {
  const arena = smallArena({ entries: 2 });
  fill(arena, 1);
  const second = fill(arena, 1);
  assert.equal(arena.tryAllocate('uint8', [1], ALICE), undefined);
  arena.release(second, ALICE);
  assert.ok(arena.tryAllocate('uint8', [1], ALICE));
});

test('no free hold means no room, and refuses a retain', () => {
  const arena = smallArena({ holds: 2 });
  const tensor = fill(arena, 1);
  arena.retain(tensor, BOB);
  assert.equal(arena.tryAllocate('uint8', [1], ALICE), undefined);
  assert.throws(() => arena.retain(tensor, 3), { code: 'TENSOR_HOLDS_EXHAUSTED', retrySafe: true });
});

test('a tensor larger than the arena is an error, not a wait', async () => {
  const arena = smallArena();
  assert.throws(() => arena.tryAllocate('float32', [10 * KIB], ALICE), {
    code: 'TENSOR_TOO_LARGE',
    details: { arena: 'small', bytes: 40 * KIB, capacityBytes: 10 * KIB },
  });
  await assert.rejects(arena.allocate('float32', [10 * KIB], ALICE), { code: 'TENSOR_TOO_LARGE' });
});

test('a record of another arena is refused', () => {
  const tensor = fill(smallArena(), 1);
  const other = SharedArena.create({ name: 'other', bytes: KIB });
  assert.throws(() => other.view(tensor), { code: 'TENSOR_FOREIGN' });
  assert.throws(() => other.release(tensor, ALICE), { code: 'TENSOR_FOREIGN' });
});

test('shapes and holders that make no sense are refused', () => {
  const arena = smallArena();
  assert.throws(() => arena.tryAllocate('uint8', [-1], ALICE), RangeError);
  assert.throws(() => arena.tryAllocate('uint8', [1.5], ALICE), RangeError);
  assert.throws(() => arena.tryAllocate('uint8', [2 ** 40, 2 ** 40], ALICE), RangeError);
  assert.throws(() => arena.tryAllocate('uint8', [1], 0), RangeError);
  assert.throws(() => SharedArena.create({ name: 'odd', bytes: KIB, blockBytes: 100 }), RangeError);
  assert.throws(() => SharedArena.create({ name: 'none', bytes: 0 }), RangeError);
});

/** Sizes that no other test has. */
const RETIRED_BYTES = 13 * KIB;
const retiring = (): SharedArena =>
  SharedArena.create({ name: 'retiring', bytes: RETIRED_BYTES, blockBytes: KIB });

test('the memory of a retired arena goes to the next of its size', () => {
  const arena = retiring();
  const tensor = fill(arena, 1);
  const view = arena.view(tensor);
  view.fill(7);
  arena.release(tensor, ALICE);
  arena.retire();
  arena.retire();
  const next = retiring();
  assert.equal(next.view(fill(next, 1)).buffer, view.buffer);
  const another = retiring();
  assert.notEqual(another.view(fill(another, 1)).buffer, view.buffer);
});

test('a retired arena does not touch the next one that has its memory', () => {
  const arena = retiring();
  const old = fill(arena, 1);
  arena.release(old, ALICE);
  arena.retire();
  const next = retiring();
  const own = fill(next, 1);
  assert.equal(own.entry, old.entry, 'the tables are laid out alike');
  assert.equal(arena.release({ ...own }, ALICE), false);
  assert.equal(arena.releaseAll(ALICE), 0);
  assert.throws(() => arena.view(own), { code: 'TENSOR_RELEASED' });
  assert.equal(next.stats().tensors, 1);
  assert.equal(arena.stats().tensors, 0);
});

test('the memory of a retired arena stays where a tensor is still held', () => {
  const arena = retiring();
  const tensor = fill(arena, 1);
  const view = arena.view(tensor);
  arena.retire();
  assert.equal(arena.view(tensor).buffer, view.buffer);
  const next = retiring();
  assert.notEqual(next.view(fill(next, 1)).buffer, view.buffer);
});

test('a retired arena takes no more tensors, and knows what it was', async () => {
  const arena = smallArena();
  const full = fill(arena, 10);
  const waiting = arena.allocate('uint8', [KIB], ALICE);
  arena.release(full, ALICE);
  arena.retire();
  await assert.rejects(waiting, { code: 'SYSTEM_STOPPED' });
  assert.throws(() => arena.tryAllocate('uint8', [KIB], ALICE), { code: 'SYSTEM_STOPPED' });
  assert.throws(() => arena.view(full), { code: 'TENSOR_RELEASED' });
  assert.throws(() => arena.retain(full, ALICE), { code: 'TENSOR_RELEASED' });
  assert.equal(arena.release(full, ALICE), false);
  const { capacityBytes, peakBytes, tensors } = arena.stats();
  assert.deepEqual(
    { capacityBytes, peakBytes, tensors },
    { capacityBytes: 10 * KIB, peakBytes: 10 * KIB, tensors: 0 },
  );
});

test('a random history of sizes and holders never overlaps two tensors and ends with an empty arena', () => {
  const arena = SharedArena.create({
    name: 'history',
    bytes: 64 * KIB,
    blockBytes: KIB,
    entries: 24,
    holds: 40,
  });
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % below;
  };
  const live: { tensor: ReturnType<typeof fill>; mark: number; holders: number[] }[] = [];
  for (let step = 0; step < 5_000; step++) {
    const choice = random(3);
    const held = live[random(live.length || 1)];
    if (choice === 0) {
      const holder = 1 + random(5);
      const tensor = arena.tryAllocate('uint8', [1 + random(9 * KIB)], holder);
      if (tensor === undefined) continue;
      const mark = step % 251;
      arena.view(tensor).fill(mark);
      live.push({ tensor, mark, holders: [holder] });
    } else if (held !== undefined && choice === 1) {
      const holder = 1 + random(5);
      if (held.holders.includes(holder) || live.reduce((sum, each) => sum + each.holders.length, 0) === 40)
        continue;
      arena.retain(held.tensor, holder);
      held.holders.push(holder);
    } else if (held !== undefined) {
      assert.ok(arena.view(held.tensor).every((byte) => byte === held.mark));
      assert.equal(arena.release(held.tensor, held.holders.pop() ?? 0), true);
      if (held.holders.length === 0) live.splice(live.indexOf(held), 1);
    }
    assert.equal(arena.stats().tensors, live.length);
  }
  for (let holder = 1; holder <= 5; holder++) arena.releaseAll(holder);
  assert.equal(arena.stats().usedBytes, 0);
  assert.ok(arena.tryAllocate('uint8', [64 * KIB], ALICE));
});
