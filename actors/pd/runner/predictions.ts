/**
 * What a run says of the token after each row's last. A graph that was rewritten to choose the likeliest itself
 * (`likeliest.ts`) is asked for logits only where somebody draws from them or penalizes some.
 */

import type { Tensors } from '../../inference/graph-session.ts';
import type { Tensor } from '../../inference/onnxruntime.ts';
import { floatData } from '../../inference/ort-session.ts';
import { LIKELIEST } from '../../model/rewrite/likeliest.ts';
import { argmax } from '../sampler/greedy.ts';
import { Logits } from './logits.ts';

const PREDICTING: readonly string[] = ['logits', ...Object.values(LIKELIEST)];

export class Predictions {
  /** What it was read from: the outputs of the run that speak of tokens, to be read again elsewhere. */
  readonly outputs: Tensors;
  readonly #logits: Logits | undefined;
  readonly #likeliest: (row: number) => number;

  /** @throws TypeError when the run gave neither logits of shape `[rows, positions, vocabulary]` nor likeliest tokens */
  constructor(outputs: Tensors) {
    const token = outputs[LIKELIEST.token];
    this.outputs = pick(outputs, PREDICTING);
    const logits =
      token === undefined || outputs.logits !== undefined ? new Logits(outputs.logits) : undefined;
    this.#logits = logits;
    this.#likeliest = token === undefined ? (row) => argmax(this.logits(row)) : likeliest(token, outputs);
  }

  /** Of a run of one row: what follows each of its tokens, as if each were a row. */
  static ofEach(outputs: Tensors, tokens: number): Predictions {
    const told = Object.entries(pick(outputs, PREDICTING));
    return new Predictions(
      Object.fromEntries(
        told.map(([name, tensor]) => [name, tensor.reshape([tokens, 1, tensor.size / tokens])]),
      ),
    );
  }

  /** @returns -1 when a row's logits hold NaN or Infinity, or nothing above -Infinity */
  likeliest(row: number): number {
    return this.#likeliest(row);
  }

  /**
   * The logits of a row's last position, `[vocabulary]`, no copy: the sampler may change them.
   *
   * @throws TypeError when they were not asked for
   */
  logits(row: number): Float32Array {
    if (this.#logits === undefined) throw new TypeError('The logits of this run were not fetched');
    return this.#logits.last(row);
  }
}

function pick(outputs: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => names.includes(name)));
}

function likeliest({ data, dims }: Tensor, outputs: Tensors): (row: number) => number {
  const logit = floatData(outputs[LIKELIEST.logit]);
  const sum = floatData(outputs[LIKELIEST.sum]);
  const positions = dims[1] ?? 1;
  return (row) => {
    const at = (row + 1) * positions - 1;
    const sound = Number.isFinite(logit[at]) && !Number.isNaN(sum[at]);
    return sound ? Number(data[at]) : -1;
  };
}
