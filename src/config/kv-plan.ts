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
/** What is kept of prompts fills up whether it comes again or not, so a small model keeps no more than so many contexts. */
const MOST_KEPT_CONTEXTS = 16;

/** @param available bytes */
export function planKv(directory: ModelDirectory, wishes: KvWishes, available: number): KvPlan {
  const { layers, kvHeads, headDim, contextLength } = directory.geometry;
  const past = directory.graphs.decoder.signature.inputs.find(({ name }) =>
    name.startsWith('past_key_values.'),
  );
  const bytesPerToken = layers * 2 * kvHeads * headDim * (past?.type === 'float16' ? 2 : 4);
  const contextBytes = capacityFor(contextLength) * bytesPerToken;
  const { actors } = wishes;
  const share = (wish: number | undefined, part: number, contexts: number): Share => {
    if (wish !== undefined) return { bytes: wish, why: 'as configured' };
    const most = contexts * contextBytes;
    const bytes = Math.floor((available * part) / actors);
    if (bytes >= most) return { bytes: most, why: `all that ${contexts} full contexts need` };
    const each = actors === 1 ? '' : `, divided among ${actors} actors`;
    return { bytes, why: `${part * 100} % of the available memory${each}` };
  };
  const sequences = share(wishes.kvCacheBytes, KV_SHARE, wishes.maxRunning);
  const prompts = share(wishes.prefixCacheBytes, PREFIX_SHARE, MOST_KEPT_CONTEXTS);
  return {
    bytesPerToken,
    kvCacheBytes: sequences.bytes,
    kvCacheTokens: Math.floor(sequences.bytes / bytesPerToken),
    prefixCacheBytes: prompts.bytes,
    why: `sequences: ${sequences.why}; prompts: ${prompts.why}`,
  };
}

/** Of one actor. */
interface Share {
  readonly bytes: number;
  readonly why: string;
}
