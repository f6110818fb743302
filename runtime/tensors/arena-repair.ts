/**
 * Brings an arena's tables into order from the two facts that are never half written: which holds have a
 * holder, and which blocks their tensors lie in. A fresh arena is formatted by the same act, as is one whose
 * lock was owned by a thread that died in the middle of a change. Needs the arena's lock.
 */
import { type ArenaTables, PEAK_BLOCKS, TENSORS, USED_BLOCKS } from './arena-layout.ts';
import type { BlockMap } from './block-map.ts';
import type { HoldTable } from './hold-table.ts';

export function repairArena(tables: ArenaTables, holds: HoldTable, blocks: BlockMap): void {
  holds.rebuild();
  blocks.clear();
  let used = 0;
  let tensors = 0;
  for (let entry = 0; entry < holds.entries; entry++) {
    const run = holds.blocksOf(entry);
    if (run.count === 0) continue;
    blocks.reclaim(run.first, run.count);
    used += run.count;
    tensors += 1;
  }
  tables.header[USED_BLOCKS] = used;
  tables.header[TENSORS] = tensors;
  tables.header[PEAK_BLOCKS] = Math.max(used, tables.header[PEAK_BLOCKS] ?? 0);
}
