/** The outputs of a rewritten decoder that hold what is new in the cache: `[rows, heads, length, headDim]`. */
import type { Tensors } from '../../inference/graph-session.ts';
import { NEW_ROWS } from '../../model/rewrite/steps-alone.ts';
import { wordsOf } from './kv-buffer.ts';
import type { KvPort } from './kv-signature.ts';

export interface NewRows {
  readonly words: Uint32Array;
  /** Tokens of each row. */
  readonly length: number;
  /** Where the first of the run's rows is among these. */
  readonly firstRow: number;
}

/**
 * @param index of the port, where a graph of steps puts those of all ports into one output
 * @param rows of the run
 * @throws TypeError when the output is missing
 */
export function stepRowsOf(outputs: Tensors, port: KvPort, index: number, rows: number): NewRows {
  const joined = outputs[NEW_ROWS];
  if (joined === undefined) return rowsOf(outputs, port);
  return { words: wordsOf(joined), length: 1, firstRow: index * rows };
}

/** @throws TypeError when the output is missing */
export function rowsOf(outputs: Tensors, { present }: KvPort): NewRows {
  const tensor = outputs[present];
  if (tensor === undefined) throw new TypeError(`The decoder did not output ${present}`);
  return { words: wordsOf(tensor), length: tensor.dims[2] ?? 0, firstRow: 0 };
}
