/**
 * The element types of shared tensors: how wide an element is, and which typed array reads it in place.
 */

/** The typed array that reads each element type in place. */
export interface TensorViews {
  /** Single precision. */
  float32: Float32Array<SharedArrayBuffer>;
  /** Raw half-precision bits: not every Node that the project runs on has a `Float16Array`. */
  float16: Uint16Array<SharedArrayBuffer>;
  /** Whole numbers of 32 bits. */
  int32: Int32Array<SharedArrayBuffer>;
  /** Whole numbers of 64 bits, as `bigint`. */
  int64: BigInt64Array<SharedArrayBuffer>;
  /** Bytes. */
  uint8: Uint8Array<SharedArrayBuffer>;
}

/** Element type of a shared tensor. */
export type TensorType = keyof TensorViews;

type MakeView<Type extends TensorType> = (
  memory: SharedArrayBuffer,
  byteOffset: number,
  elements: number,
) => TensorViews[Type];

const ELEMENT_BYTES: { readonly [Type in TensorType]: number } = {
  float32: 4,
  float16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
};

const MAKE_VIEW: { readonly [Type in TensorType]: MakeView<Type> } = {
  float32: (memory, byteOffset, elements) => new Float32Array(memory, byteOffset, elements),
  float16: (memory, byteOffset, elements) => new Uint16Array(memory, byteOffset, elements),
  int32: (memory, byteOffset, elements) => new Int32Array(memory, byteOffset, elements),
  int64: (memory, byteOffset, elements) => new BigInt64Array(memory, byteOffset, elements),
  uint8: (memory, byteOffset, elements) => new Uint8Array(memory, byteOffset, elements),
};

/** Bytes of a tensor. Throws a `RangeError` unless every dimension is a whole number ≥ 0 and the sum is countable. */
export function tensorBytes(type: TensorType, shape: readonly number[]): number {
  let bytes = ELEMENT_BYTES[type];
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new RangeError(`a tensor's dimensions must be whole numbers, got [${shape.join(', ')}]`);
    }
    bytes *= dimension;
  }
  if (!Number.isSafeInteger(bytes))
    throw new RangeError(`a tensor of [${shape.join(', ')}] is too large to count`);
  return bytes;
}

/** The typed array over `byteLength` bytes of `memory`, without a copy. */
export function viewMemory<Type extends TensorType>(
  type: Type,
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
): TensorViews[Type] {
  return MAKE_VIEW[type](memory, byteOffset, byteLength / ELEMENT_BYTES[type]);
}
