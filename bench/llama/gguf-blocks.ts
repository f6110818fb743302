/**
 * Matrices as llama.cpp's GGUF files hold them: row by row of outputs, and in 4 and 8 bits in blocks of 32 along a row, each with
 * a scale of 16 bits. Layouts: `ggml/src/ggml-common.h` of llama.cpp, `block_q4_0` and `block_q8_0`.
 */
import { BLOCK } from '../generated-model/four-bit.ts';
import { transposed } from '../generated-model/transposed.ts';
import { toHalves } from '../half-model/half.ts';

/** Element types by the numbers that GGUF has for them. */
export const GGUF_TYPE = { f32: 0, q4_0: 2, q8_0: 8 } as const;

export type GgufType = (typeof GGUF_TYPE)[keyof typeof GGUF_TYPE];

const SCALE_BYTES = 2;
const BLOCK_BYTES = {
  0: 4 * BLOCK,
  2: SCALE_BYTES + BLOCK / 2,
  8: SCALE_BYTES + BLOCK,
} as const satisfies Record<GgufType, number>;

/** Bytes of `elements` values. @throws RangeError when they are no whole blocks, in the types that have blocks */
export function ggufBytes(type: GgufType, elements: number): number {
  if (type === GGUF_TYPE.f32) return 4 * elements;
  if (elements % BLOCK !== 0) throw new RangeError(`${elements} values are no blocks of ${BLOCK}`);
  return (elements / BLOCK) * BLOCK_BYTES[type];
}

/** What a matrix of the decoder's graph is made of. */
export type StoredMatrix =
  /** `[inputs, outputs]` */
  | { readonly kind: 'float'; readonly values: Float32Array }
  /** As `MatMulNBits` reads it: levels `[outputs, inputs / 32, 16]`, scales `[outputs × inputs / 32]`, 8 stands for zero. */
  | { readonly kind: 'q4'; readonly levels: Uint8Array; readonly scales: Float32Array }
  /** As dynamic quantization writes it: levels `[inputs, outputs]`, one scale. */
  | { readonly kind: 'q8'; readonly levels: Int8Array; readonly scale: number };

/** Levels are kept as they are; scales become the nearest ones of 16 bits. */
export function ggufRows(matrix: StoredMatrix, inputs: number, outputs: number): Uint8Array {
  switch (matrix.kind) {
    case 'float':
      return bytesOf(transposed(matrix.values, inputs, outputs));
    case 'q4':
      return fourBitBlocks(matrix.levels, matrix.scales);
    case 'q8':
      return eightBitBlocks(matrix.levels, matrix.scale, inputs, outputs);
    default:
      return matrix satisfies never;
  }
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Two neighbours share a byte in ONNX; in GGUF a value and the one half a block behind it. */
function fourBitBlocks(levels: Uint8Array, scales: Float32Array): Uint8Array {
  const half = BLOCK / 2;
  const halves = toHalves(scales);
  const blocks = new Uint8Array(ggufBytes(GGUF_TYPE.q4_0, scales.length * BLOCK));
  const view = new DataView(blocks.buffer);
  const levelAt = (index: number): number => ((levels[index >> 1] ?? 0) >> (4 * (index & 1))) & 15;
  for (let block = 0; block < scales.length; block++) {
    const at = block * BLOCK_BYTES[GGUF_TYPE.q4_0];
    view.setUint16(at, halves[block] ?? 0, true);
    for (let i = 0; i < half; i++) {
      const first = block * BLOCK + i;
      blocks[at + SCALE_BYTES + i] = levelAt(first) | (levelAt(first + half) << 4);
    }
  }
  return blocks;
}

function eightBitBlocks(levels: Int8Array, scale: number, inputs: number, outputs: number): Uint8Array {
  const [half = 0] = toHalves(Float32Array.of(scale));
  const blocks = new Uint8Array(ggufBytes(GGUF_TYPE.q8_0, levels.length));
  const view = new DataView(blocks.buffer);
  let at = 0;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      if (input % BLOCK === 0) {
        view.setUint16(at, half, true);
        at += SCALE_BYTES;
      }
      view.setInt8(at++, levels[input * outputs + output] ?? 0);
    }
  }
  return blocks;
}

/**
 * Rows of queries or keys in the order in which llama.cpp's `llama` rotates them: pairs of neighbours, where the graphs rotate
 * the two halves of a head against each other.
 */
export function pairedRows(rows: Uint8Array, heads: number, headDim: number): Uint8Array {
  const rowBytes = rows.length / (heads * headDim);
  const half = headDim / 2;
  const paired = new Uint8Array(rows.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headDim; row++) {
      const target = head * headDim + 2 * (row % half) + Math.floor(row / half);
      const source = (head * headDim + row) * rowBytes;
      paired.set(rows.subarray(source, source + rowBytes), target * rowBytes);
    }
  }
  return paired;
}
