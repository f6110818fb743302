/**
 * Where everything lies in an arena's two pieces of shared memory.
 *
 *     data     ┌─────────┬─────────┬─────────┬── ─ ──┬──────────┐
 *              │ block 0 │ block 1 │ block 2 │       │ block n-1│   blockBytes each; nothing but tensors
 *              └─────────┴─────────┴─────────┴── ─ ──┴──────────┘
 *
 *     tables   ┌────────┬───────────────────┬──────────────────┬───────────────┬─────────────────┐
 *     (int32)  │ header │ entries           │ holds            │ waits         │ runs            │
 *              │ 48     │ 4 a tensor        │ 4 a hold         │ 2 a waiter    │ 1 a block       │
 *              └────────┴───────────────────┴──────────────────┴───────────────┴─────────────────┘
 *     header   ┌──────────┬──────────┬──────────────────────────────────────────────────────────────────┐
 *              │ 0: lock  │ 16: freed│ 32: used, peak, tensors, lowest free, free rows' chains, tickets  │
 *              └──────────┴──────────┴──────────────────────────────────────────────────────────────────┘
 *
 * The lock, the counter of releases and the guarded cells have a cache line (64 bytes) each. Pages of the data
 * are committed by the system at their first use; nothing here touches them. An arena that only counts has tables
 * and no data: its tensors stand for memory that lies elsewhere.
 */
import { takeMemory, takeZeroedMemory } from './idle-memory.ts';

export interface ArenaHandle {
  readonly kind: 'arena-handle';
  readonly name: string;
  /** Empty in an arena that only counts. */
  readonly data: SharedArrayBuffer;
  readonly capacityBytes: number;
  readonly tables: SharedArrayBuffer;
  readonly blockBytes: number;
  readonly entries: number;
  readonly holds: number;
}

export interface ArenaOptions {
  /** Stands in every tensor record; unique among the arenas of a system. */
  readonly name: string;
  /** Capacity, rounded up to whole blocks. */
  readonly bytes: number;
  /** True: there is no memory, only the books of it; tensors cannot be viewed. Default false. */
  readonly countsOnly?: boolean;
  /** Granularity of allocation; a multiple of 64. Default 32 KiB. */
  readonly blockBytes?: number;
  /** Most tensors at one time. Default 1,024. */
  readonly entries?: number;
  /** Most (tensor, holder) pairs at one time. Default 8,192. */
  readonly holds?: number;
}

/** Indices into the header. */
export const LOCK = 0;
export const FREED = 16;
export const USED_BLOCKS = 32;
export const PEAK_BLOCKS = 33;
export const TENSORS = 34;
export const LOWEST_FREE = 35;
export const FREE_ENTRIES = 36;
export const FREE_HOLDS = 37;
export const NEXT_TICKET = 38;
const HEADER_CELLS = 48;

export const ENTRY_CELLS = 4;
export const HOLD_CELLS = 4;
export const WAIT_CELLS = 2;

const ALIGNMENT = 64;
const DEFAULT_BLOCK_BYTES = 32 * 1024;
const DEFAULT_ENTRIES = 1024;
const DEFAULT_HOLDS = 8192;
/** Who comes when so many wait goes last. */
const WAITS = 1024;

type Cells = Int32Array<SharedArrayBuffer>;

export interface ArenaTables {
  readonly header: Cells;
  readonly entries: Cells;
  readonly holds: Cells;
  readonly waits: Cells;
  readonly runs: Cells;
}

/** Makes the memory of an arena, its tables all zero: an arena in need of repair (see `arena-repair.ts`). */
export function createArenaMemory(options: ArenaOptions): ArenaHandle {
  const blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES;
  const entries = options.entries ?? DEFAULT_ENTRIES;
  const holds = options.holds ?? DEFAULT_HOLDS;
  const counts = { bytes: options.bytes, blockBytes, entries, holds };
  for (const [option, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw new RangeError(`arena '${options.name}': ${option} must be a whole number above 0, got ${value}`);
    }
  }
  if (blockBytes % ALIGNMENT !== 0) {
    throw new RangeError(
      `arena '${options.name}': blockBytes must be a multiple of ${ALIGNMENT}, got ${blockBytes}`,
    );
  }
  const blocks = Math.ceil(options.bytes / blockBytes);
  const cells = HEADER_CELLS + entries * ENTRY_CELLS + holds * HOLD_CELLS + WAITS * WAIT_CELLS + blocks;
  return {
    kind: 'arena-handle',
    name: options.name,
    data: takeMemory(options.countsOnly === true ? 0 : blocks * blockBytes),
    capacityBytes: blocks * blockBytes,
    tables: takeZeroedMemory(cells * Int32Array.BYTES_PER_ELEMENT),
    blockBytes,
    entries,
    holds,
  };
}

export function arenaTables(handle: ArenaHandle): ArenaTables {
  const cells = new Int32Array(handle.tables);
  const holdsAt = HEADER_CELLS + handle.entries * ENTRY_CELLS;
  const waitsAt = holdsAt + handle.holds * HOLD_CELLS;
  const runsAt = waitsAt + WAITS * WAIT_CELLS;
  return {
    header: cells.subarray(0, HEADER_CELLS),
    entries: cells.subarray(HEADER_CELLS, holdsAt),
    holds: cells.subarray(holdsAt, waitsAt),
    waits: cells.subarray(waitsAt, runsAt),
    runs: cells.subarray(runsAt),
  };
}
