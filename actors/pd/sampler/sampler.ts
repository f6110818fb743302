/**
 * Chooses the next token of one request from its logits: penalties, temperature, truncation, one draw.
 * A sampler belongs to one request: its random numbers and its memory of past tokens depend on nothing else.
 */
import type { ResolvedSampling } from '../../generation.ts';
import { argmax } from './greedy.ts';
import { Penalties } from './penalties.ts';
import { SeededRandom } from './random.ts';
import { candidates, truncates } from './truncation.ts';

export class Sampler {
  readonly #options: ResolvedSampling;
  readonly #penalties: Penalties;
  readonly #random: SeededRandom;

  /** @param promptIds the whole prompt: the repetition penalty covers it */
  constructor(options: ResolvedSampling, promptIds: Int32Array) {
    this.#options = options;
    this.#penalties = new Penalties(options, promptIds);
    this.#random = new SeededRandom(options.seed);
  }

  /** Whether `sample` would take the likeliest token whatever came before: then nobody needs to ask it. */
  get greedy(): boolean {
    return this.#options.temperature === 0 && this.#penalties.off;
  }

  /**
   * @param logits `[vocabulary]`; penalties change it in place
   * @returns the chosen token, or -1 when the logits hold NaN or Infinity, or no token is possible
   */
  sample(logits: Float32Array): number {
    this.#penalties.apply(logits);
    const likeliest = argmax(logits);
    if (likeliest === -1) return -1;
    const id = this.#options.temperature === 0 ? likeliest : this.#draw(logits, likeliest);
    this.#penalties.observe(id);
    return id;
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
