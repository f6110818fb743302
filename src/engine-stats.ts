/** One picture of the whole engine: who is up, what each actor counts, what the arenas hold. */
import type { ActorStats } from '../runtime/actor/behaviour.ts';
import type { ActorStatus } from '../runtime/supervision/group.ts';
import type { ActorSystem } from '../runtime/system/actor-system.ts';
import type { ArenaStats } from '../runtime/tensors/arena.ts';
import type { TensorCacheStats } from '../runtime/tensors/tensor-cache.ts';

export interface EngineStats {
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  readonly actors: readonly (ActorStatus & { readonly stats: ActorStats | undefined })[];
  readonly arenas: readonly ArenaStats[];
  /** What all actors share: `image-embeddings`. */
  readonly caches: readonly TensorCacheStats[];
  readonly deadLetters: number;
}

export async function engineStats(system: ActorSystem, requestsInFlight: number): Promise<EngineStats> {
  const stats = await system.stats();
  return {
    requestsInFlight,
    actors: system.status().map((status) => ({ ...status, stats: stats.get(status.name) })),
    arenas: system.arenas.map((arena) => arena.stats()),
    caches: system.caches.map((cache) => cache.stats()),
    deadLetters: system.deadLetters.total,
  };
}
