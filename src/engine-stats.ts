/** One picture of the whole engine: who is up, what each actor counts, what the arenas hold. */
import type { ActorStats } from '../runtime/actor/behaviour.ts';
import type { ActorStatus } from '../runtime/supervision/group.ts';
import type { ActorSystem } from '../runtime/system/actor-system.ts';
import type { ArenaStats } from '../runtime/tensors/arena.ts';
import type { TensorCacheStats } from '../runtime/tensors/tensor-cache.ts';
import type { SharedWeights } from './share-weights.ts';

export interface EngineStats {
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  readonly actors: readonly (ActorStatus & { readonly stats: ActorStats | undefined })[];
  readonly arenas: readonly ArenaStats[];
  /** What all actors share: `image-embeddings`. */
  readonly caches: readonly TensorCacheStats[];
  /** Graphs whose weights the actors were to share, and whether they do. */
  readonly weights: readonly SharedWeights[];
  readonly deadLetters: number;
}

type SystemStats = Omit<EngineStats, 'requestsInFlight' | 'weights'>;

export async function systemStats(system: ActorSystem): Promise<SystemStats> {
  const stats = await system.stats();
  return {
    actors: system.status().map((status) => ({ ...status, stats: stats.get(status.name) })),
    arenas: system.arenas.map((arena) => arena.stats()),
    caches: system.caches.map((cache) => cache.stats()),
    deadLetters: system.deadLetters.total,
  };
}
