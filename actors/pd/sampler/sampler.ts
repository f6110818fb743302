/**
 * Chooses the next token of one answer from its logits: penalties, bias, what is allowed, temperature, truncation, one
 * draw. A sampler belongs to one answer: its random numbers and its memory of past tokens depend on nothing else.
 */
import type { ResolvedSampling } from '../../generation.ts';
import { argmax } from './greedy.ts';
import { LogitBias } from './logit-bias.ts';
import { Penalties } from './penalties.ts';
import { SeededRandom } from './random.ts';
import { applyMask, lowestOf } from './token-mask.ts';
import { candidates, truncates } from './truncation.ts';

export class Sampler {
  readonly #options: ResolvedSampling;
  readonly #penalties: Penalties;
  readonly #bias: LogitBias;
  readonly #random: SeededRandom;

  /** @param promptIds the whole prompt: the repetition penalty covers it */
  constructor(options: ResolvedSampling, promptIds: Int32Array) {
    this.#options = options;
    this.#penalties = new Penalties(options, promptIds);
    this.#bias = new LogitBias(options.logitBias);
    this.#random = new SeededRandom(options.seed);
  }

  /** Whether `sample` would take the likeliest allowed token whatever came before: if it is known, nobody needs to ask. */
  get greedy(): boolean {
    return this.#options.temperature === 0 && this.#penalties.off && this.#bias.off;
  }

  /**
   * @param logits `[vocabulary]`; changed in place
   * @param mask the tokens that are allowed, at least one. Default: all
   * @returns the chosen token, or -1 when the logits hold NaN or Infinity, or no token is possible
   */
  sample(logits: Float32Array, mask?: Uint32Array): number {
    this.#penalties.apply(logits);
    this.#bias.apply(logits);
    if (mask !== undefined) applyMask(logits, mask);
    const likeliest = argmax(logits);
    if (likeliest === -1) {
      if (mask === undefined) return -1;
      // The model holds all that is allowed for impossible: one of them has to come all the same.
      const lowest = lowestOf(mask);
      this.force(lowest);
      return lowest;
    }
    const id = this.#options.temperature === 0 ? likeliest : this.#draw(logits, likeliest);
    this.#penalties.observe(id);
    return id;
  }

  /** Takes note of a token that came without being asked; what is drawn after it is as if it had been the only one allowed. */
  force(id: number): void {
    if (this.#options.temperature !== 0) this.#random.nextFloat();
    this.#penalties.observe(id);
  }

  /** Draws by inverting the cumulative distribution. */
  #draw(logits: Float32Array, likeliest: number): number {
    const largest = logits[likeliest] ?? 0;
    const weights = new Float64Array(logits.length);
    let total = 0;
    for (let id = 0; id < logits.length; id++) {
      const weight = Math.exp(((logits[id] ?? 0) - largest) / this.#options.temperature);
      weights[id] = weight;
      total += weight;
    }
    const point = this.#random.nextFloat();
    if (!truncates(this.#options)) return pick(weights.keys(), weights, point * total, likeliest);
    const kept = candidates(weights, total, this.#options);
    const mass = kept.reduce((sum, id) => sum + (weights[id] ?? 0), 0);
    return pick(kept, weights, point * mass, likeliest);
  }
}

/** The first token at which the running sum of weights passes `point`; rounding may leave none: `fallback`. */
function pick(ids: Iterable<number>, weights: Float64Array, point: number, fallback: number): number {
  let sum = 0;
  for (const id of ids) {
    sum += weights[id] ?? 0;
    if (point < sum) return id;
  }
  return fallback;
}
