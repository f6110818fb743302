/**
 * A tensor that lives in an arena of shared memory, named by value: this record is plain data, so it can be
 * sent in any message, any number of times, without a copy of what it names. Whether the memory is still
 * there is decided by the arena (see `arena.ts`): a stale record is refused, never misread.
 */
import type { TensorType } from './tensor-type.ts';

export type { TensorType } from './tensor-type.ts';

export interface SharedTensor<Type extends TensorType = TensorType> {
  /** Brand by which the runtime counts the bytes of a message as moved, not copied. */
  readonly kind: 'shared-tensor';
  /** Name of the arena that holds it. */
  readonly arena: string;
  readonly type: Type;
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Row of the arena's table, and that row's generation when the tensor was made. */
  readonly entry: number;
  readonly generation: number;
}

export function isSharedTensor(value: unknown): value is SharedTensor {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'shared-tensor';
}
