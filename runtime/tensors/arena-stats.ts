/** What an arena holds. */
import { type ArenaHandle, type ArenaTables, PEAK_BLOCKS, TENSORS, USED_BLOCKS } from './arena-layout.ts';

/** What an arena holds, bytes. */
export interface ArenaStats {
  /** Name of the arena. */
  readonly name: string;
  /** Most that it can hold. */
  readonly capacityBytes: number;
  /** Whole blocks, so at least the sum of the tensors' bytes. */
  readonly usedBytes: number;
  /** Most bytes in use at one time since the arena was created. */
  readonly peakBytes: number;
  /** Tensors in it now. */
  readonly tensors: number;
}

/** To be called with the arena's lock. */
export function arenaStats(
  { blockBytes, capacityBytes, name }: ArenaHandle,
  { header }: ArenaTables,
): ArenaStats {
  return {
    name,
    capacityBytes,
    usedBytes: (header[USED_BLOCKS] ?? 0) * blockBytes,
    peakBytes: (header[PEAK_BLOCKS] ?? 0) * blockBytes,
    tensors: header[TENSORS] ?? 0,
  };
}
