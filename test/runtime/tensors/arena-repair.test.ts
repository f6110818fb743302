import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import {
  arenaTables,
  FREE_ENTRIES,
  FREE_HOLDS,
  TENSORS,
  USED_BLOCKS,
} from '../../../runtime/tensors/arena-layout.ts';
import { repairArena } from '../../../runtime/tensors/arena-repair.ts';
import { BlockMap } from '../../../runtime/tensors/block-map.ts';
import { HoldTable } from '../../../runtime/tensors/hold-table.ts';

test('all that is derived can be lost: a repair finds every tensor, hold and free block again', () => {
  const arena = SharedArena.create({ name: 'torn', bytes: 16_384, blockBytes: 1024, entries: 8, holds: 8 });
  const allocate = (bytes: number, holder: number) =>
    arena.tryAllocate('uint8', [bytes], holder) ?? assert.fail('no room');
  const hole = allocate(2048, 1);
  const first = allocate(3072, 1);
  const second = allocate(1024, 2);
  arena.retain(first, 2);
  arena.release(hole, 1);

  const tables = arenaTables(arena.handle());
  tables.runs.fill(-77);
  for (const cell of [USED_BLOCKS, TENSORS, FREE_ENTRIES, FREE_HOLDS]) tables.header[cell] = -77;
  for (let entry = 0; entry < 8; entry++) tables.entries[entry * 4 + 3] = 5;
  for (let hold = 0; hold < 8; hold++) tables.holds[hold * 4 + 3] = 5;
  repairArena(tables, new HoldTable(tables), new BlockMap(tables));

  assert.deepEqual([arena.stats().usedBytes, arena.stats().tensors], [4096, 2]);
  assert.equal(allocate(2048, 3).byteOffset, hole.byteOffset);
  assert.equal(allocate(10_240, 3).byteOffset, 6144);
  assert.equal(arena.release(first, 1), true);
  assert.equal(arena.release(first, 2), true);
  assert.equal(arena.release(second, 2), true);
  assert.equal(arena.releaseAll(3), 2);
  assert.equal(allocate(16_384, 1).byteOffset, 0);
});
