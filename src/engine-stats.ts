/** One picture of the whole engine: who is up, what each actor counts, what the arenas hold. */
import type { GpuStats } from '../actors/inference/gpu/gpu-stats.ts';
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
  /** Every pool has an actor that is up and gives signs of life, save that of prefill actors, without which PD does their work. */
  readonly ready: boolean;
  /**
   * What ended the engine for good: pools whose actors all crashed too often and were given up, prefill actors aside;
   * `model` when a file that is in use was written to; `threads` when four hang in native code, where they cannot be ended.
   * Only a new engine serves again.
   */
  readonly failed: readonly string[];
  /** Requests submitted and not ended. */
  readonly requestsInFlight: number;
  /** Every actor with its state; its load is undefined while it is not up. */
  readonly actors: readonly (ActorStatus & {
    /** How busy it is. */
    readonly load: ActorLoad | undefined;
  })[];
}

/** How busy an actor is, as it last published. */
export interface ActorLoad extends Pick<LoadReading, 'queueDepth' | 'running' | 'freeSlots' | 'busyMs'> {
  /** How long it has given no sign of life, ms; 0 when it does, or is inside a run of a graph as it may be. */
  readonly silentMs: number;
}

/** An actor that is silent for longer does not count as up, ms. */
const SILENT_MS = 5_000;

/** Each takes a core and the memory of its model for good. */
const MOST_LEFT_BEHIND = 4;

/** @param isModelSpoilt a file that is in use was written to */
export function engineHealth(
  system: ActorSystem,
  requestsInFlight: number,
  isModelSpoilt: boolean,
): EngineHealth {
  const status = system.status();
  const loads = system.loads();
  const silences = system.silences();
  const serves = ({ name, state }: ActorStatus) => state === 'up' && (silences.get(name) ?? 0) < SILENT_MS;
  const pools = Map.groupBy(status, ({ name }) => name.slice(0, name.lastIndexOf('/')));
  const needed = [...pools].filter(([name]) => name !== PREFILL_POOL);
  const failed = needed.filter(([, pool]) => pool.every(({ state }) => state === 'escalated'));
  return {
    ready: !isModelSpoilt && needed.every(([, pool]) => pool.some(serves)),
    failed: [
      ...failed.map(([name]) => name),
      ...(isModelSpoilt ? ['model'] : []),
      ...(system.leftBehind >= MOST_LEFT_BEHIND ? ['threads'] : []),
    ],
    requestsInFlight,
    actors: status.map((actor) => ({
      ...actor,
      load: loadOf(loads.get(actor.name), silences.get(actor.name)),
    })),
  };
}

function loadOf(reading: LoadReading | undefined, silentMs = 0): ActorLoad | undefined {
  if (reading === undefined) return undefined;
  const { queueDepth, running, freeSlots, busyMs } = reading;
  return { queueDepth, running, freeSlots, busyMs, silentMs };
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
