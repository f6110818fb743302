/** The small inputs of image plans as tensors. */
import type { ImageTensor } from '../generation.ts';
import { Tensor } from './onnxruntime.ts';

export function int64Tensor({ shape, values }: ImageTensor): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

/** Those of several images for one run: below each other along the first dimension. */
export function joinImageTensors(
  all: readonly Readonly<Record<string, ImageTensor>>[],
): Readonly<Record<string, ImageTensor>> {
  const joined: Record<string, ImageTensor> = {};
  for (const inputs of all) {
    for (const [name, { shape, values }] of Object.entries(inputs)) {
      const before = joined[name];
      const [count = 0, ...rest] = shape;
      joined[name] =
        before === undefined
          ? { shape, values }
          : { shape: [(before.shape[0] ?? 0) + count, ...rest], values: [...before.values, ...values] };
    }
  }
  return joined;
}
