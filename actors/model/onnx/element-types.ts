/**
 * ONNX element types: the number that `TensorProto.data_type` holds, its name, and its width in bits. The names
 * are those of ONNX Runtime's JavaScript API where it has one.
 */
const ELEMENT_TYPES = {
  1: ['float32', 32],
  2: ['uint8', 8],
  3: ['int8', 8],
  4: ['uint16', 16],
  5: ['int16', 16],
  6: ['int32', 32],
  7: ['int64', 64],
  8: ['string', 0],
  9: ['bool', 8],
  10: ['float16', 16],
  11: ['float64', 64],
  12: ['uint32', 32],
  13: ['uint64', 64],
  14: ['complex64', 64],
  15: ['complex128', 128],
  16: ['bfloat16', 16],
  17: ['float8e4m3fn', 8],
  18: ['float8e4m3fnuz', 8],
  19: ['float8e5m2', 8],
  20: ['float8e5m2fnuz', 8],
  21: ['uint4', 4],
  22: ['int4', 4],
  23: ['float4e2m1', 4],
  24: ['float8e8m0', 8],
} as const satisfies Record<number, readonly [name: string, bits: number]>;

const BY_NUMBER: ReadonlyMap<number, readonly [name: string, bits: number]> = new Map(
  Object.entries(ELEMENT_TYPES).map(([number, type]) => [Number(number), type]),
);

/** Name of a `data_type`; `type<number>` for one that this list does not know. */
export function elementTypeName(dataType: number): string {
  return BY_NUMBER.get(dataType)?.[0] ?? `type${dataType}`;
}

/** Bytes of `elements` values; 4-bit values are packed two to a byte, strings and unknown types count as none. */
export function elementBytes(dataType: number, elements: number): number {
  return Math.ceil((elements * (BY_NUMBER.get(dataType)?.[1] ?? 0)) / 8);
}
