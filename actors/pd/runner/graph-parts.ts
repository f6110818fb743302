/** What loading a model's graphs takes on either device: what is asked for, and what follows from a decoder's kind. */

import { ModelError } from '../../errors.ts';
import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import type { GraphSession } from '../../inference/graph-session.ts';
import { loadGraph } from '../../inference/load-graph.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import type { WideRuns } from '../../inference/wide-runs.ts';
import type { SeesAhead } from '../../model/geometry.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
import type { PrefillHelp } from '../../protocols.ts';
import { KvBudget } from '../kv-cache/kv-budget.ts';
import { capacityFor } from '../kv-cache/kv-capacity.ts';
import { CONCAT_LAYOUT, GROUP_QUERY_LAYOUT, type KvLayout } from '../kv-cache/kv-layout.ts';
import { bytesPerToken, type KvPort } from '../kv-cache/kv-signature.ts';
import type { PrefixListener } from '../prefix-cache/prefix-cache.ts';

export interface LoadGraphsOptions {
  /** Threads of one graph operator, the calling thread included; ≥ 1. */
  readonly threads: number;
  /** Memory for keys and values of sequences, bytes. Default: as much as `maxRunning` sequences can need. */
  readonly kvCacheBytes?: number;
  /** Memory for keys and values of prompts that may come again, bytes. Default 64 MiB; 0 keeps none. */
  readonly prefixCacheBytes?: number;
  /** Most sequences at once. */
  readonly maxRunning: number;
  /** Told of what the prefix cache has. */
  readonly prefixListener?: PrefixListener | undefined;
  /** More threads, at times; used on the CPU. */
  readonly wide?: WideRuns | undefined;
  /** Runs the decoder there; released with the model. Default: on the CPU. */
  readonly gpu?: GpuMemory | undefined;
  /** Who runs parts of prompts meanwhile; used where the decoder was rewritten. Default: nobody. */
  readonly prefill?: PrefillHelp | undefined;
}

/**
 * An export that is not told which tokens see later ones lets none; the operator GroupQueryAttention has no other way. One with
 * a mask of its own may let all tokens of a run see each other, so that where a prompt's do, prompts are run whole.
 */
export function seesAheadOf({ graphs, geometry }: ModelDirectory, { inputs }: GraphSession): SeesAhead {
  const { seesAhead } = geometry;
  if (inputs.has('token_type_ids')) return seesAhead;
  const ownMask = layoutOf(graphs.decoder.signature.opTypes) !== GROUP_QUERY_LAYOUT;
  return seesAhead === 'prompt' && ownMask ? 'prompt' : 'none';
}

export function budgetOf(
  ports: readonly KvPort[],
  contextLength: number,
  { kvCacheBytes, maxRunning }: LoadGraphsOptions,
): KvBudget {
  const each = bytesPerToken(ports);
  const most = maxRunning * capacityFor(contextLength) * each;
  return new KvBudget(Math.min(kvCacheBytes ?? most, most), each);
}

/** See `kv-layout.ts`: the operator decides where the new token of a row goes. */
export function layoutOf(opTypes: readonly string[]): KvLayout {
  const grouped = opTypes.some((op) => op === 'GroupQueryAttention' || op.endsWith('.GroupQueryAttention'));
  return grouped ? GROUP_QUERY_LAYOUT : CONCAT_LAYOUT;
}

/** On one thread: it copies rows, for which a second one would have to be waited for. */
export async function loadEmbedding({ graphs, path }: ModelDirectory, gpu?: GpuMemory): Promise<OrtSession> {
  if (graphs.embed !== undefined) return await loadGraph(graphs.embed, { threads: 1, gpu });
  const remedy = 'Put onnx/embed_tokens.onnx there: the decoder takes embeddings';
  throw new ModelError('MODEL_FILE_MISSING', 'The model has no token embedding graph', { path, remedy });
}

export function unknownKind(path: string, cause: TypeError): ModelError {
  const remedy = 'Use an export of the Hub layout, float32 outside and float32 or float16 keys and values';
  return new ModelError(
    'MODEL_UNSUPPORTED',
    `The graphs are of an unknown kind (${cause.message})`,
    { path, remedy },
    cause,
  );
}
