/**
 * What a run says of the token after each row's last. A graph that was rewritten to choose the likeliest itself
 * (`likeliest.ts`) is asked for logits only where somebody draws from them or penalizes some.
 */

import type { Tensors } from '../../inference/graph-session.ts';
import type { Tensor } from '../../inference/onnxruntime.ts';
import { floatData } from '../../inference/ort-session.ts';
import { LIKELIEST } from '../../model/rewrite/likeliest.ts';
import { LIKELIEST_ON_GPU, NO_TOKEN } from '../../model/rewrite/likeliest-on-gpu.ts';
import { argmax } from '../sampler/greedy.ts';
import { Logits } from './logits.ts';

const PREDICTING: readonly string[] = ['logits', LIKELIEST_ON_GPU, ...Object.values(LIKELIEST)];

export class Predictions {
  /** What it was read from: the outputs of the run that speak of tokens, to be read again elsewhere. */
  readonly outputs: Tensors;
  readonly #logits: Logits | undefined;
  readonly #likeliest: (row: number) => number;

  /** @throws TypeError when the run gave neither logits of shape `[rows, positions, vocabulary]` nor likeliest tokens */
  constructor(outputs: Tensors) {
    const chosen = chosenBy(outputs);
    this.outputs = pick(outputs, PREDICTING);
    const needed = chosen === undefined || outputs.logits !== undefined;
    this.#logits = needed ? new Logits(outputs.logits) : undefined;
    this.#likeliest = chosen ?? ((row) => argmax(this.logits(row)));
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

/** The likeliest token of a row by what the graph says of it; undefined where it says nothing. */
function chosenBy(outputs: Tensors): ((row: number) => number) | undefined {
  const { [LIKELIEST_ON_GPU]: all, [LIKELIEST.token]: token } = outputs;
  if (all !== undefined) return likeliestOnGpu(all);
  return token === undefined ? undefined : likeliest(token, outputs);
}

function likeliestOnGpu(all: Tensor): (row: number) => number {
  const numbers = floatData(all);
  const positions = all.dims[1] ?? 1;
  return (row) => {
    const at = 3 * ((row + 1) * positions - 1);
    const [token = NO_TOKEN, logit, sum] = numbers.subarray(at, at + 3);
    const sound = token < NO_TOKEN && Number.isFinite(logit) && !Number.isNaN(sum);
    return sound ? token : -1;
  };
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
