/** Puts the actors of one mode together, each with refs to those it talks to. */
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import { PoolBoard, type PoolBoardMemory } from '../actors/pool-board.ts';
import {
  aggregatedActor,
  DECODE_BUDGET,
  EMBEDDING_ARENA,
  EMBEDDING_CACHE,
  encoderActor,
  PIXEL_ARENA,
  PREFILL_POOL,
  type PrefillHelp,
  type ProcessorArgs,
  pdActor,
  prefillActor,
  processorActor,
  type processorProtocol,
  SMALL_DECODE_BUDGET,
} from '../actors/protocols.ts';
import type { ActorRef } from '../runtime/ref/actor-ref.ts';
import { ActorSystem } from '../runtime/system/actor-system.ts';
import { type KvPlan, planKv } from './config/kv-plan.ts';
import { nativeLimit } from './config/native-limit.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import { type ThreadPlan, threadsBeside } from './config/thread-plan.ts';
import type { Devices } from './devices/choose-devices.ts';
import { noteLeftBehind } from './left-behind.ts';

/** An actor that starts and gives no sign of life for so long after the start was given up is not waited for, ms. */
const ABORTED_HANG_MS = 1_000;

export interface Pipeline {
  readonly system: ActorSystem;
  readonly entry: ActorRef<typeof processorProtocol>;
  /** Pools whose actors keep something of their own that `clearCaches` clears. */
  readonly caching: readonly string[];
}

/**
 * Starts all actors together: each is given refs to those behind it, which work as soon as they are up.
 * @param signal gives up: what hangs is ended, or left behind in native code; what is being loaded is loaded first
 */
export async function startPipeline(
  directory: ModelDirectory,
  config: ResolvedConfig,
  plan: ThreadPlan,
  devices: Devices,
  signal?: AbortSignal,
): Promise<Pipeline> {
  const { memory } = config;
  const system = new ActorSystem({
    // Shared memory is taken from the system as it is used; these only bound it.
    arenas: {
      [PIXEL_ARENA]: memory.pixelBytes,
      [EMBEDDING_ARENA]: memory.embeddingBytes + config.vision.cacheBytes,
    },
    budgets: { [DECODE_BUDGET]: memory.decodeBytes, [SMALL_DECODE_BUDGET]: memory.smallDecodeBytes },
    caches: { [EMBEDDING_CACHE]: { arena: EMBEDDING_ARENA, bytes: config.vision.cacheBytes } },
    stopGraceMs: config.stopGraceMs,
    watchdog: {
      ...config.watchdog,
      nativeMs: config.watchdog.nativeMs ?? nativeLimit(directory.graphs, devices),
    },
  });
  const onAbort = () => system.hurry(ABORTED_HANG_MS);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const targets = config.mode === 'aggregated' ? aggregated : disaggregated;
    const wishes = { ...config, actors: plan.pd.count };
    const kv = planKv(directory, wishes, Math.min(process.availableMemory(), memory.limitBytes));
    const { routes, caching, starting } = targets(system, directory, { ...config, plan, kv, devices });
    const { maxRunning: maxChoices } = config;
    const processor = system.declare(processorActor, { name: 'processor', size: plan.processor.count });
    const starts = [
      ...starting,
      processor.start({
        directory,
        limits: { ...config.limits, maxChoices },
        images: config.images,
        ...routes,
      }),
    ];
    // All of them settle before anything is undone: a thread that loads a model cannot be interrupted.
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return { system, entry: processor.ref, caching };
  } catch (error) {
    await system.stop();
    noteLeftBehind(system.leftBehind);
    signal?.throwIfAborted(); // why it failed, then
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

interface Planned extends ResolvedConfig {
  readonly plan: ThreadPlan;
  readonly kv: KvPlan;
  readonly devices: Devices;
}

interface Targets {
  readonly routes: Pick<ProcessorArgs, 'encoder' | 'pd' | 'board'>;
  readonly caching: readonly string[];
  readonly starting: readonly Promise<void>[];
}

/** What bounds an actor with a language model in it. */
function limitsOf({ maxRunning, maxWaiting, kv, prefillTokensPerStep, memory, plan, ...drafts }: Planned) {
  const { kvCacheBytes, prefixCacheBytes } = kv;
  const { speculation, maxDraftTokens } = drafts;
  const constraintCacheBytes = Math.floor(memory.constraintBytes / plan.pd.count);
  const bytes = { kvCacheBytes, prefixCacheBytes, constraintCacheBytes };
  return { maxRunning, maxWaiting, ...bytes, prefillTokensPerStep, speculation, maxDraftTokens };
}

/** What several actors of the language model tell of themselves; one has nobody to tell. */
function boardOf(system: ActorSystem, { plan: { pd } }: Planned): PoolBoardMemory | undefined {
  return pd.count > 1 ? PoolBoard.create(pd.count, (bytes) => system.sharedMemory(bytes)) : undefined;
}

interface Helpers {
  readonly prefill: PrefillHelp | undefined;
  readonly starting: readonly Promise<void>[];
}

/** The actors that run prompts while PD decodes. */
function helpers(system: ActorSystem, directory: ModelDirectory, { plan, mode }: Planned): Helpers {
  if (plan.prefill === undefined) return { prefill: undefined, starting: [] };
  const { count: size, threads } = plan.prefill;
  const pool = system.declare(prefillActor, { name: PREFILL_POOL, size });
  // In aggregated mode image embeddings stay in the thread that made them.
  const takesImages = mode === 'disaggregated';
  return {
    prefill: { actor: pool.ref, threadsBeside: threadsBeside(plan), takesImages },
    starting: [pool.start({ directory, threads })],
  };
}

function aggregated(system: ActorSystem, directory: ModelDirectory, config: Planned): Targets {
  const { plan, vision } = config;
  const limits = limitsOf(config);
  const { threads, count: size, alone: threadsAlone } = plan.pd;
  const board = boardOf(system, config);
  const { prefill, starting } = helpers(system, directory, config);
  const pool = system.declare(aggregatedActor, { name: 'aggregated', size });
  const args = {
    directory,
    device: config.devices.pd,
    threads,
    threadsAlone,
    board,
    ...limits,
    prefill,
    maxTilesPerRun: vision.maxTilesPerRun,
  };
  return {
    routes: { encoder: pool.ref, board },
    caching: ['aggregated'],
    starting: [...starting, pool.start(args)],
  };
}

function disaggregated(system: ActorSystem, directory: ModelDirectory, config: Planned): Targets {
  const { plan, vision, devices } = config;
  const limits = limitsOf(config);
  const { encoder: encoderPlan = plan.pd } = plan;
  const { prefill, starting } = helpers(system, directory, config);
  const pd = system.declare(pdActor, { name: 'pd', size: plan.pd.count });
  const encoder = system.declare(encoderActor, { name: 'encoder', size: encoderPlan.count });
  const { threads } = encoderPlan;
  const board = boardOf(system, config);
  const { threads: pdThreads, alone: threadsAlone } = plan.pd;
  return {
    routes: { encoder: encoder.ref, pd: pd.ref, board },
    caching: ['pd'],
    starting: [
      ...starting,
      pd.start({
        directory,
        device: devices.pd,
        threads: pdThreads,
        threadsAlone,
        board,
        ...limits,
        prefill,
      }),
      encoder.start({
        directory,
        device: devices.encoder,
        threads,
        maxTilesPerRun: vision.maxTilesPerRun,
        pd: pd.ref,
        board,
      }),
    ],
  };
}
