/**
 * How likely the model took tokens to be: the logarithm of the softmax over its logits, before anything was done to them.
 * What OpenAI's API gives, and vLLM's V1 engine by default (`raw_logprobs`).
 */

/** Stands for what is less likely than can be told; OpenAI's API does the same. */
export const LEAST_LOGPROB = -9999;

/** Less than the largest by more than this adds nothing to a sum of 2¹⁸ such: e^-50 is 2e-22. */
const NEGLIGIBLE = 50;

export class Logprobs {
  readonly #logits: Float32Array;
  /** Logarithm of the sum of the exponentials of all logits. */
  readonly #norm: number;

  /**
   * @param logits `[vocabulary]`, without NaN; not to be changed while this is in use
   * @param likeliest index of the largest
   */
  constructor(logits: Float32Array, likeliest: number) {
    const largest = logits[likeliest] ?? 0;
    const least = largest - NEGLIGIBLE;
    let sum = 0;
    for (let id = 0; id < logits.length; id++) {
      const logit = logits[id] ?? 0;
      if (logit > least) sum += Math.exp(logit - largest);
    }
    this.#logits = logits;
    this.#norm = largest + Math.log(sum);
  }

  of(id: number): number {
    return Math.max(LEAST_LOGPROB, (this.#logits[id] ?? Number.NEGATIVE_INFINITY) - this.#norm);
  }

  /** The `count` likeliest tokens, likeliest first; the lowest first among equals. */
  top(count: number): number[] {
    const logits = this.#logits;
    const ids: number[] = [];
    if (count === 0) return ids;
    let least = Number.NEGATIVE_INFINITY;
    for (let id = 0; id < logits.length; id++) {
      const logit = logits[id] ?? 0;
      if (ids.length === count && logit <= least) continue;
      let place = ids.length;
      while (place > 0 && (logits[ids[place - 1] ?? 0] ?? 0) < logit) place -= 1;
      ids.splice(place, 0, id);
      ids.length = Math.min(ids.length, count);
      least = logits[ids.at(-1) ?? 0] ?? 0;
    }
    return ids;
  }
}
