/** The outputs of a rewritten decoder that hold what is new in the cache: `[rows, heads, length, headDim]`. */
import type { Tensors } from '../../inference/graph-session.ts';
import { wordsOf } from './kv-buffer.ts';
import type { KvPort } from './kv-signature.ts';

export interface NewRows {
  readonly words: Uint32Array;
  /** Tokens of each row. */
  readonly length: number;
}

/** @throws TypeError when the output is missing */
export function rowsOf(outputs: Tensors, { present }: KvPort): NewRows {
  const tensor = outputs[present];
  if (tensor === undefined) throw new TypeError(`The decoder did not output ${present}`);
  return { words: wordsOf(tensor), length: tensor.dims[2] ?? 0 };
}
