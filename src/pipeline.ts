/** Puts the actors of one mode together, each with refs to those it talks to. */
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import {
  aggregatedActor,
  EMBEDDING_ARENA,
  encoderActor,
  PIXEL_ARENA,
  type ProcessorArgs,
  pdActor,
  processorActor,
  type processorProtocol,
} from '../actors/protocols.ts';
import type { ActorRef } from '../runtime/ref/actor-ref.ts';
import { ActorSystem } from '../runtime/system/actor-system.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import { thisMachine } from './config/this-machine.ts';
import { planThreads, type ThreadPlan } from './config/thread-plan.ts';

const MIB = 1024 * 1024;
/** Shared memory is taken from the system as it is used; these only bound it. */
const PIXEL_ARENA_BYTES = 512 * MIB;
const EMBEDDING_ARENA_BYTES = 256 * MIB;
/** Below the arena's size, so that a full cache cannot keep new images out. */
const EMBEDDING_CACHE_BYTES = 64 * MIB;

export interface Pipeline {
  readonly system: ActorSystem;
  readonly entry: ActorRef<typeof processorProtocol>;
  /** Pools that keep something that `clearCaches` clears. */
  readonly caching: readonly string[];
}

/** Starts all actors together: each is given refs to those behind it, which work as soon as they are up. */
export async function startPipeline(directory: ModelDirectory, config: ResolvedConfig): Promise<Pipeline> {
  const plan = planThreads(config.mode, config.pools, thisMachine(directory));
  const system = new ActorSystem({
    arenas: { [PIXEL_ARENA]: PIXEL_ARENA_BYTES, [EMBEDDING_ARENA]: EMBEDDING_ARENA_BYTES },
    stopGraceMs: config.stopGraceMs,
  });
  try {
    const targets = config.mode === 'aggregated' ? aggregated : disaggregated;
    const { routes, caching, starting } = targets(system, directory, { ...config, plan });
    const processor = system.declare(processorActor, { name: 'processor', size: plan.processor.count });
    const starts = [
      ...starting,
      processor.start({ directory, limits: config.limits, images: config.images, ...routes }),
    ];
    // All of them settle before anything is undone: a thread that loads a model cannot be interrupted.
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return { system, entry: processor.ref, caching };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

interface Planned extends ResolvedConfig {
  readonly plan: ThreadPlan;
}

interface Targets {
  readonly routes: Pick<ProcessorArgs, 'encoder' | 'pd'>;
  readonly caching: readonly string[];
  readonly starting: readonly Promise<void>[];
}

function aggregated(system: ActorSystem, directory: ModelDirectory, config: Planned): Targets {
  const { plan, maxRunning, maxWaiting } = config;
  const { threads, count: size } = plan.pd;
  const pool = system.declare(aggregatedActor, { name: 'aggregated', size });
  const args = { directory, threads, maxRunning, maxWaiting, cacheBytes: EMBEDDING_CACHE_BYTES };
  return { routes: { encoder: pool.ref }, caching: ['aggregated'], starting: [pool.start(args)] };
}

function disaggregated(system: ActorSystem, directory: ModelDirectory, config: Planned): Targets {
  const { plan, maxRunning, maxWaiting } = config;
  const { encoder: encoderPlan = plan.pd } = plan;
  const pd = system.declare(pdActor, { name: 'pd', size: plan.pd.count });
  const encoder = system.declare(encoderActor, { name: 'encoder', size: encoderPlan.count });
  const { threads } = encoderPlan;
  return {
    routes: { encoder: encoder.ref, pd: pd.ref },
    caching: ['encoder', 'pd'],
    starting: [
      pd.start({ directory, threads: plan.pd.threads, maxRunning, maxWaiting }),
      encoder.start({ directory, threads, cacheBytes: EMBEDDING_CACHE_BYTES, pd: pd.ref }),
    ],
  };
}
