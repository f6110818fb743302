/**
 * A tensor that lives in an arena of shared memory, named by value: this record is plain data, so it can be
 * sent in any message, any number of times, without a copy of what it names. Whether the memory is still
 * there is decided by the arena (see `arena.ts`): a stale record is refused, never misread.
 */
import type { TensorType } from './tensor-type.ts';

export type { TensorType } from './tensor-type.ts';

/** The record of a tensor in an arena: plain data that may be sent anywhere, without a copy of the tensor. */
export interface SharedTensor<Type extends TensorType = TensorType> {
  /** Brand by which the runtime counts the bytes of a message as moved, not copied. */
  readonly kind: 'shared-tensor';
  /** Name of the arena that holds it. */
  readonly arena: string;
  /** Type of its elements. */
  readonly type: Type;
  /** Its dimensions; none for a scalar. */
  readonly shape: readonly number[];
  /** Where it begins in the arena's memory, bytes. */
  readonly byteOffset: number;
  /** Its length, bytes. */
  readonly byteLength: number;
  /** Row of the arena's table, and that row's generation when the tensor was made. */
  readonly entry: number;
  /** By which a record of freed memory is known to be stale. */
  readonly generation: number;
}

export function isSharedTensor(value: unknown): value is SharedTensor {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'shared-tensor';
}
