/** The fields of a request that say how tokens are chosen, by name, and a way to pick what is there of them. */
import type { SamplingOptions } from '../actors/generation.ts';

export const SAMPLING_FIELDS = [
  'maxTokens',
  'temperature',
  'topK',
  'topP',
  'minP',
  'repetitionPenalty',
  'presencePenalty',
  'frequencyPenalty',
  'seed',
  'stop',
  'logitBias',
  'logprobs',
  'topLogprobs',
  'n',
] as const satisfies readonly (keyof SamplingOptions)[];

/** The named fields that are there; an absent field must stay absent, for a default to take its place. */
export function present<T extends object, K extends keyof T>(
  source: T,
  keys: readonly K[],
): Partial<Pick<T, K>> {
  const chosen: Partial<Pick<T, K>> = {};
  for (const key of keys) if (source[key] !== undefined) chosen[key] = source[key];
  return chosen;
}
