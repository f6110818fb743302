/** One picture of the whole engine: who is up, what each actor counts, what the arenas hold. */
import type { ActorStats } from '../runtime/actor/behaviour.ts';
import type { ActorStatus } from '../runtime/supervision/group.ts';
import type { ActorSystem } from '../runtime/system/actor-system.ts';
import type { ArenaStats } from '../runtime/tensors/arena.ts';

export interface EngineStats {
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  readonly actors: readonly (ActorStatus & { readonly stats: ActorStats | undefined })[];
  readonly arenas: readonly ArenaStats[];
  readonly deadLetters: number;
}

export async function engineStats(system: ActorSystem, requestsInFlight: number): Promise<EngineStats> {
  const stats = await system.stats();
  return {
    requestsInFlight,
    actors: system.status().map((status) => ({ ...status, stats: stats.get(status.name) })),
    arenas: system.arenas.map((arena) => arena.stats()),
    deadLetters: system.deadLetters.total,
  };
}
