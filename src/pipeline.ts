/** Puts the actors of one mode together, each with refs to those it talks to. */
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import {
  aggregatedActor,
  EMBEDDING_ARENA,
  type EncoderArgs,
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

/** Starts the actors from the last to the first, since each is given refs to those behind it. */
export async function startPipeline(directory: ModelDirectory, config: ResolvedConfig): Promise<Pipeline> {
  const plan = planThreads(config.mode, config.pools, thisMachine(directory));
  const system = new ActorSystem({
    arenas: { [PIXEL_ARENA]: PIXEL_ARENA_BYTES, [EMBEDDING_ARENA]: EMBEDDING_ARENA_BYTES },
    stopGraceMs: config.stopGraceMs,
  });
  try {
    const targets = config.mode === 'aggregated' ? aggregated : disaggregated;
    const { routes, caching } = await targets(system, directory, { ...config, plan });
    const entry = await system.spawn(
      processorActor,
      { directory, limits: config.limits, ...routes },
      { name: 'processor', size: plan.processor.count },
    );
    return { system, entry, caching };
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
}

async function aggregated(system: ActorSystem, directory: ModelDirectory, config: Planned): Promise<Targets> {
  const { plan, maxRunning, maxWaiting } = config;
  const encoder = await system.spawn(
    aggregatedActor,
    { directory, threads: plan.pd.threads, maxRunning, maxWaiting, cacheBytes: EMBEDDING_CACHE_BYTES },
    { name: 'aggregated', size: plan.pd.count },
  );
  return { routes: { encoder }, caching: ['aggregated'] };
}

async function disaggregated(
  system: ActorSystem,
  directory: ModelDirectory,
  config: Planned,
): Promise<Targets> {
  const { plan, maxRunning, maxWaiting } = config;
  const pd = await system.spawn(
    pdActor,
    { directory, threads: plan.pd.threads, maxRunning, maxWaiting },
    { name: 'pd', size: plan.pd.count },
  );
  const encoderPlan = plan.encoder ?? plan.pd;
  const args: EncoderArgs = {
    directory,
    threads: encoderPlan.threads,
    cacheBytes: EMBEDDING_CACHE_BYTES,
    pd,
  };
  const encoder = await system.spawn(encoderActor, args, { name: 'encoder', size: encoderPlan.count });
  return { routes: { encoder, pd }, caching: ['encoder', 'pd'] };
}
