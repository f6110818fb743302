/** A made-up prompt through a decoder: what is found out about it, and about a device, before a request comes. */

import { tryRuns } from '../../inference/trial-runs.ts';
import type { PromptTrial } from '../kv-cache/gpu/gpu-prompt-check.ts';
import type { KvCache } from '../kv-cache/kv-cache.ts';
import { SeededRandom } from '../sampler/random.ts';
import type { Decoder } from './decoder.ts';
import type { Predictions } from './predictions.ts';
import type { TokenEmbedder } from './token-embedder.ts';

export interface PromptTrialParts {
  readonly decoder: Decoder;
  /** Absent when the decoder takes token ids. */
  readonly embedder: Pick<TokenEmbedder, 'hidden' | 'embed'> | undefined;
  /** Is as before after each trial. */
  readonly cache: KvCache;
  readonly vocabSize: number;
  /** Not among the tokens: a decoder that encodes images itself would look for one. */
  readonly imageTokenId: number;
}

export function promptTrial(parts: PromptTrialParts): PromptTrial {
  return async (lengths) => {
    const logits: Float32Array[] = [];
    await runMadeUp(parts, lengths, true, (predictions) => logits.push(predictions.logits(0).slice()));
    return logits;
  };
}

/**
 * The token after a made-up one.
 * @param logits whether it is found in the logits, and not chosen by the graph, where the graph does that
 */
export async function trialToken(parts: PromptTrialParts, logits: boolean): Promise<number> {
  let token = -1;
  await runMadeUp(parts, [1], logits, (predictions) => {
    token = predictions.likeliest(0);
  });
  return token;
}

async function runMadeUp(
  { decoder, embedder, cache, vocabSize, imageTokenId }: PromptTrialParts,
  lengths: readonly number[],
  logits: boolean,
  take: (predictions: Predictions) => void,
): Promise<void> {
  const length = lengths.reduce((sum, count) => sum + count, 0);
  const ids = madeUpIds(length, vocabSize, imageTokenId);
  const hidden = embedder?.hidden ?? 0;
  const embeds = embedder === undefined ? undefined : new Float32Array(length * hidden);
  if (embeds !== undefined) await embedder?.embed(ids, embeds);
  const kv = cache.openPrompt(length);
  try {
    for (const count of lengths) {
      const [from, to] = [kv.length, kv.length + count];
      const tokens = {
        ids: ids.subarray(from, to),
        embeds: embeds?.subarray(from * hidden, to * hidden),
        logits,
      };
      take(await decoder.extend(tokens, [], kv, cache));
    }
  } finally {
    cache.drop(kv);
  }
}

/** Tokens of it: few, and enough for their number to tell how long many take. */
const TRIAL_TOKENS = 16;

/** See `trial-runs.ts`. */
export async function tryDecoder(
  parts: PromptTrialParts & { readonly contextLength: number },
): Promise<void> {
  const trial = promptTrial(parts);
  await tryRuns(() => trial([Math.min(TRIAL_TOKENS, parts.contextLength)]));
  parts.cache.trim();
}

/** The same ones each time, and the beginning of a longer list is the shorter list. */
function madeUpIds(length: number, vocabSize: number, imageTokenId: number): Int32Array {
  const random = new SeededRandom(1);
  return Int32Array.from({ length }, () => {
    const id = Math.floor(random.nextFloat() * vocabSize);
    return id === imageTokenId ? (id + 1) % vocabSize : id;
  });
}
