/** One picture of the whole engine: who is up, what each actor counts, what the arenas hold. */
import type { GpuStats } from '../actors/gpu/gpu-stats.ts';
import { PREFILL_POOL } from '../actors/protocols.ts';
import type { ActorStats } from '../runtime/actor/behaviour.ts';
import type { LoadReading } from '../runtime/board/load-board.ts';
import type { ActorStatus } from '../runtime/supervision/group.ts';
import type { ActorSystem } from '../runtime/system/actor-system.ts';
import type { ArenaStats } from '../runtime/tensors/arena.ts';
import type { TensorCacheStats } from '../runtime/tensors/tensor-cache.ts';
import type { SharedWeights } from './share-weights.ts';

/** What an engine has done and holds now. Plain data: it can be sent as JSON. */
export interface EngineStats {
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  /** Every actor with its state; its counters are undefined while it is not up. */
  readonly actors: readonly (ActorStatus & {
    /** What the actor counts; of those that run a graph, its runs and memory. */
    readonly stats: ActorStats | undefined;
  })[];
  /** Shared memory: `pixels`, and what else the mode has. */
  readonly arenas: readonly ArenaStats[];
  /** What all actors share: `image-embeddings`. */
  readonly caches: readonly TensorCacheStats[];
  /** Graphs whose weights the actors were to share, and whether they do. */
  readonly weights: readonly SharedWeights[];
  /** Messages that reached no actor, since the start. */
  readonly deadLetters: number;
  /** Of the actor that owns the GPU; absent where none does. */
  readonly gpu?: GpuStats;
}

/** What is known without asking any actor: at hand at once, however busy they are. */
export interface EngineHealth {
  /** Every pool has an actor that is up, save that of prefill actors, without which PD does their work. */
  readonly ready: boolean;
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  /** Every actor with its state; its load is undefined while it is not up. */
  readonly actors: readonly (ActorStatus & {
    /** How busy it is. */
    readonly load: ActorLoad | undefined;
  })[];
}

/** How busy an actor is, as it last published. */
export type ActorLoad = Pick<LoadReading, 'queueDepth' | 'running' | 'freeSlots' | 'busyMs'>;

export function engineHealth(system: ActorSystem, requestsInFlight: number): EngineHealth {
  const status = system.status();
  const loads = system.loads();
  const pools = Map.groupBy(status, ({ name }) => name.slice(0, name.lastIndexOf('/')));
  return {
    ready: [...pools].every(
      ([name, pool]) => name === PREFILL_POOL || pool.some(({ state }) => state === 'up'),
    ),
    requestsInFlight,
    actors: status.map((actor) => ({ ...actor, load: loadOf(loads.get(actor.name)) })),
  };
}

function loadOf(reading: LoadReading | undefined): ActorLoad | undefined {
  if (reading === undefined) return undefined;
  const { queueDepth, running, freeSlots, busyMs } = reading;
  return { queueDepth, running, freeSlots, busyMs };
}

/** Plain data of the actor's, see `GpuMemory.stats`. */
function gpuOf(actors: readonly (ActorStats | undefined)[]): { gpu?: GpuStats } {
  const gpu = actors.map((counted) => counted?.gpu).find((counted) => counted !== undefined);
  return gpu === undefined ? {} : { gpu: gpu as GpuStats };
}

type SystemStats = Omit<EngineStats, 'requestsInFlight' | 'weights'>;

export async function systemStats(system: ActorSystem): Promise<SystemStats> {
  const stats = await system.stats();
  return {
    actors: system.status().map((status) => ({ ...status, stats: stats.get(status.name) })),
    arenas: system.arenas.map((arena) => arena.stats()),
    caches: system.caches.map((cache) => cache.stats()),
    deadLetters: system.deadLetters.total,
    ...gpuOf([...stats.values()]),
  };
}
