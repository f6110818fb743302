/**
 * What a model is counted at in the budget of a server that has several: its weights as often as they are loaded, what it
 * may fill with keys, values, images and constraints, and the threads of its actors. Known before it is loaded; what a request needs for
 * a moment, to decode an image say, is not in it.
 */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { planKv } from '../config/kv-plan.ts';
import { planPrefill } from '../config/prefill-plan.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import { thisMachine } from '../config/this-machine.ts';
import { planThreads } from '../config/thread-plan.ts';
import { planSharing } from '../config/weight-sharing.ts';

/** A worker thread without any weights. */
const ACTOR_BYTES = 33 * 1024 * 1024;

/** Of a token as constraints see it, on each actor that decodes: 1.3 MB for 49,280 of them. */
const SPELLED_TOKEN_BYTES = 27;

export function modelMemory(directory: ModelDirectory, config: ResolvedConfig): number {
  const { mode, pools, shareWeights, memory, vision } = config;
  const threads = planThreads(mode, pools, thisMachine(directory, config));
  const plan = planPrefill(threads, pools.prefill, { directory, device: 'cpu', sharing: shareWeights });
  const weights = planSharing(mode, directory, plan, shareWeights).reduce(
    (sum, { share, actors, weightBytes }) => sum + weightBytes * (share ? 1 : actors),
    0,
  );
  const actors = plan.pd.count;
  const kv = planKv(directory, { ...config, actors }, memory.limitBytes);
  const counts = [plan.processor, plan.encoder, plan.pd, plan.prefill].map((pool) => pool?.count ?? 0);
  return Math.ceil(
    weights +
      actors * (kv.kvCacheBytes + kv.prefixCacheBytes + SPELLED_TOKEN_BYTES * directory.geometry.vocabSize) +
      memory.constraintBytes +
      memory.pixelBytes +
      (mode === 'disaggregated' ? memory.embeddingBytes : 0) +
      vision.cacheBytes +
      ACTOR_BYTES * counts.reduce((sum, count) => sum + count, 0),
  );
}
