/**
 * Which tokens may be drawn at all: top-k, then top-p, then min-p, in the order of transformers' logits warpers
 * (`GenerationMixin._get_logits_processor`). Each later rule sees the distribution that the earlier ones left.
 *
 * - top-k (Fan et al. 2018): the k likeliest.
 * - top-p, the nucleus (Holtzman et al. 2019): the smallest set whose probability reaches p. A token stays while
 *   the probability of those before it is below p, so the likeliest always stays.
 * - min-p (Nguyen et al. 2024): those at least `minP` times as likely as the likeliest.
 */
import { CandidateHeap } from './candidate-heap.ts';

export interface TruncationRules {
  /** 0 keeps all. */
  readonly topK: number;
  /** (0, 1]; 1 keeps all. */
  readonly topP: number;
  /** [0, 1]; 0 keeps all. */
  readonly minP: number;
}

export function truncates({ topK, topP, minP }: TruncationRules): boolean {
  return topK > 0 || topP < 1 || minP > 0;
}

/**
 * The tokens that may be drawn, likeliest first.
 *
 * @param weights `[vocabulary]`: exp((logit - largest logit) / temperature), so the likeliest weighs 1
 * @param total sum of `weights`
 */
export function candidates(weights: Float64Array, total: number, rules: TruncationRules): number[] {
  const heap = new CandidateHeap(weights);
  const limit = rules.topK > 0 ? Math.min(rules.topK, weights.length) : weights.length;
  if (rules.topK <= 0) return nucleus(heap.pop.bind(heap), weights, total, rules, limit);

  const likeliest = Array.from({ length: limit }, () => heap.pop());
  const kept = likeliest.reduce((sum, id) => sum + (weights[id] ?? 0), 0);
  const iterator = likeliest.values();
  return nucleus(() => iterator.next().value ?? -1, weights, kept, rules, limit);
}

function nucleus(
  next: () => number,
  weights: Float64Array,
  total: number,
  { topP, minP }: TruncationRules,
  limit: number,
): number[] {
  const kept: number[] = [];
  let before = 0;
  while (kept.length < limit && (topP >= 1 || before < topP * total || kept.length === 0)) {
    const id = next();
    const weight = weights[id] ?? 0;
    // Falling weights: the first one below the share of the likeliest (which weighs 1) ends the list.
    if (kept.length > 0 && weight < minP) break;
    kept.push(id);
    before += weight;
  }
  return kept;
}
