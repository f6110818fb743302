/**
 * Weights in 4 bits, which have a scale for each block of a column, as weights in 8 bits with one scale for the whole column:
 *
 *     w[k, n]  = (q[n, k] − zero[n, k / block]) · scale[n, k / block]       as com.microsoft.MatMulNBits has them
 *     w'[k, n] = round(w[k, n] / s[n]) · s[n],   s[n] = max |w[·, n]| / 127, or 64
 *
 * So each weight is rounded once more, by s / 2 at most. A level in 4 bits is scale wide, and s = 8 · (largest scale) / 127:
 * in the block with the largest scale the second error is a sixteenth of the first, in one whose scale is a quarter of that
 * it is a quarter.
 */
import { sumsBytesExactly } from '../../cpu-identity.ts';

export interface BlockWeights {
  /** `[columns, blocks, block / 2]`: two numbers a byte, the first in the low half. */
  readonly levels: Uint8Array;
  /** `[columns, blocks]` */
  readonly scales: Float32Array;
  /** What stands for 0, column by column and block by block; undefined: 8 in all. */
  readonly zeros: ((column: number, block: number) => number) | undefined;
  readonly rows: number;
  readonly columns: number;
  /** Rows that share a scale. */
  readonly block: number;
}

export interface ColumnWeights {
  /** `[rows, columns]` */
  readonly levels: Int8Array;
  /** `[columns]` */
  readonly scales: Float32Array;
}

const MIDDLE = 8;

/**
 * The largest level of weights that are multiplied with unsigned bytes. Where pairs of products are added in 16 bits, two of
 * 255 · 64 still fit.
 */
export function largestLevel(exact = sumsBytesExactly()): number {
  return exact ? 127 : 64;
}

/** @param most the largest level @returns undefined where a scale is no finite number: such weights are no model's */
export function eightBitWeights(weights: BlockWeights, most = largestLevel()): ColumnWeights | undefined {
  const { rows, columns } = weights;
  const levels = new Int8Array(rows * columns);
  const scales = new Float32Array(columns);
  const column = new Float32Array(rows);
  for (let n = 0; n < columns; n++) {
    const largest = readColumn(weights, n, column);
    if (!Number.isFinite(largest)) return undefined;
    const scale = Math.fround(largest / most);
    scales[n] = scale;
    // Of a column of zeros too.
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let k = 0; k < rows; k++) {
      const level = Math.round((column[k] ?? 0) * inverse);
      levels[k * columns + n] = Math.max(-most, Math.min(most, level));
    }
  }
  return { levels, scales };
}

/** Writes a column into `target`. @returns the largest magnitude in it */
function readColumn({ levels, scales, zeros, rows, block }: BlockWeights, n: number, target: Float32Array) {
  const blocks = Math.ceil(rows / block);
  let largest = 0;
  for (let b = 0; b < blocks; b++) {
    const scale = scales[n * blocks + b] ?? Number.NaN;
    if (!Number.isFinite(scale)) return scale;
    const zero = zeros?.(n, b) ?? MIDDLE;
    const from = b * block;
    const bytes = (n * blocks + b) * (block / 2);
    const count = Math.min(block, rows - from);
    for (let i = 0; i < count; i++) {
      const pair = levels[bytes + (i >> 1)] ?? 0;
      const weight = ((i & 1 ? pair >> 4 : pair & 15) - zero) * scale;
      target[from + i] = weight;
      if (weight > largest) largest = weight;
      else if (-weight > largest) largest = -weight;
    }
  }
  return largest;
}
