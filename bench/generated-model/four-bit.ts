/** 4-bit weights as `com.microsoft.MatMulNBits` reads them: blocks along a row share one scale, 8 stands for zero. */
export const BLOCK = 32;

export interface FourBitMatrix {
  /** `[rows, columns / 32, 16]`, two levels a byte, the first in the low half. */
  readonly levels: Uint8Array;
  /** `[rows × columns / 32]` */
  readonly scales: Float32Array;
}

/** @param weights `[rows, columns]`, columns a multiple of 32. The largest of a block becomes exactly -8 levels. */
export function fourBit(weights: Float32Array): FourBitMatrix {
  const blocks = weights.length / BLOCK;
  if (!Number.isInteger(blocks)) throw new RangeError(`${weights.length} weights are no blocks of ${BLOCK}`);
  const levels = new Uint8Array(weights.length / 2);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const start = block * BLOCK;
    const scale = extremeOf(weights, start) / -8;
    scales[block] = scale;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = start; i < start + BLOCK; i += 2) {
      levels[i / 2] = level((weights[i] ?? 0) * inverse) | (level((weights[i + 1] ?? 0) * inverse) << 4);
    }
  }
  return { levels, scales };
}

/** The value of largest magnitude in a block, with its sign. */
function extremeOf(weights: Float32Array, start: number): number {
  let extreme = 0;
  for (let i = start; i < start + BLOCK; i++) {
    const weight = weights[i] ?? 0;
    if (Math.abs(weight) > Math.abs(extreme)) extreme = weight;
  }
  return extreme;
}

function level(scaled: number): number {
  return Math.min(15, Math.max(0, Math.round(scaled) + 8));
}
