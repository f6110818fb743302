/**
 * Where a decoder with a cache of fixed capacity expects the new token of a ragged batch, and what its mask says.
 * Two kinds of export exist; both take `past [rows, heads, capacity, headDim]`.
 */
import type { Int64Buffer } from '../../inference/int64-buffer.ts';

export interface KvLayout {
  /** Smallest capacity for a step of rows that hold at most `longest` tokens. */
  capacityFor(longest: number): number;
  /** Second dimension of the attention mask. */
  maskWidth(longest: number, capacity: number): number;
  /** Third dimension of the `present` outputs. */
  presentCapacity(capacity: number): number;
  /** Position in `present` of the new token of a row that holds `length` tokens. */
  newPosition(length: number, capacity: number): number;
}

/**
 * Plain exports: attention runs over Concat(past, new), so every row's new token stands behind the whole capacity.
 *
 *     mask of a row, length 3, capacity 6:  1 1 1 0 0 0 | 1
 *                                           past, unused  new
 *
 * Unused places hold anything finite: masked, they weigh exactly 0. `position_ids` carry the true length.
 */
export const CONCAT_LAYOUT: KvLayout = {
  capacityFor: (longest) => longest,
  maskWidth: (_longest, capacity) => capacity + 1,
  presentCapacity: (capacity) => capacity + 1,
  newPosition: (_length, capacity) => capacity,
};

/**
 * com.microsoft.GroupQueryAttention: the operator writes each row's new token right behind its past, at
 * `seqlens_k`, which exports compute as (sum of the row's mask) - 1; the mask's width is `total_sequence_length`.
 *
 *     mask of a row, length 3, longest row 5:  1 1 1 1 0 0
 *                                              past  new unused
 */
export const GROUP_QUERY_LAYOUT: KvLayout = {
  capacityFor: (longest) => longest + 1,
  maskWidth: (longest) => longest + 1,
  presentCapacity: (capacity) => capacity,
  newPosition: (length) => length,
};

/** Writes the mask of one step, `[rows, width]`: ones on each row's past and on its new token. */
export function writeStepMask(
  mask: Int64Buffer,
  lengths: Int32Array,
  capacity: number,
  width: number,
  layout: KvLayout,
): void {
  mask.reset(lengths.length * width);
  for (let row = 0; row < lengths.length; row++) {
    const length = lengths[row] ?? 0;
    for (let position = 0; position < length; position++) mask.set(row * width + position, 1);
    mask.set(row * width + layout.newPosition(length, capacity), 1);
  }
}
