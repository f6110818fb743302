/**
 * How much memory an actor of the language model may use for keys and values: for the sequences that it runs, and for
 * prompts that may come again. By default a share of what is available when the engine starts (on Linux within the
 * container's limit), and never more than could be used.
 */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { capacityFor } from '../../actors/pd/kv-cache/kv-capacity.ts';

/** Memory of one actor for keys and values. */
export interface KvPlan {
  /** Of all layers, keys and values. */
  readonly bytesPerToken: number;
  /** For sequences, bytes of one actor. */
  readonly kvCacheBytes: number;
  /** The same in tokens of prompts and answers. */
  readonly kvCacheTokens: number;
  /** For prompts that may come again, bytes of one actor. */
  readonly prefixCacheBytes: number;
  /** Where the two numbers come from, one line. */
  readonly why: string;
}

export interface KvWishes {
  readonly kvCacheBytes: number | undefined;
  readonly prefixCacheBytes: number | undefined;
  readonly maxRunning: number;
  /** Actors that share the memory. */
  readonly actors: number;
}

/** Most of the memory stays for weights, images and everybody else. */
const KV_SHARE = 0.25;
const PREFIX_SHARE = 0.05;

/** @param available bytes */
export function planKv(directory: ModelDirectory, wishes: KvWishes, available: number): KvPlan {
  const { layers, kvHeads, headDim, contextLength } = directory.geometry;
  const past = directory.graphs.decoder.signature.inputs.find(({ name }) =>
    name.startsWith('past_key_values.'),
  );
  const bytesPerToken = layers * 2 * kvHeads * headDim * (past?.type === 'float16' ? 2 : 4);
  const most = wishes.maxRunning * capacityFor(contextLength) * bytesPerToken;
  const share = (part: number): number => Math.floor((available * part) / wishes.actors);
  const chosen = (wish: number | undefined, part: number): number => wish ?? Math.min(share(part), most);
  const kvCacheBytes = chosen(wishes.kvCacheBytes, KV_SHARE);
  return {
    bytesPerToken,
    kvCacheBytes,
    kvCacheTokens: Math.floor(kvCacheBytes / bytesPerToken),
    prefixCacheBytes: chosen(wishes.prefixCacheBytes, PREFIX_SHARE),
    why: [
      reason('sequences', wishes.kvCacheBytes, share(KV_SHARE) < most, KV_SHARE, wishes),
      reason('prompts', wishes.prefixCacheBytes, share(PREFIX_SHARE) < most, PREFIX_SHARE, wishes),
    ].join('; '),
  };
}

function reason(
  what: string,
  wish: number | undefined,
  bounded: boolean,
  part: number,
  { maxRunning, actors }: KvWishes,
): string {
  if (wish !== undefined) return `${what}: as configured`;
  if (!bounded) return `${what}: all that ${maxRunning} full contexts need`;
  const each = actors === 1 ? '' : `, divided among ${actors} actors`;
  return `${what}: ${part * 100} % of the available memory${each}`;
}
