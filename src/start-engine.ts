/** From checked options to actors that are up: reads the model, plans threads, devices and memory, and starts the pipeline. */
import { isGpu } from '../actors/inference/gpu/device.ts';
import { gpuInUse } from '../actors/inference/gpu/gpu-errors.ts';
import { isGpuOwned } from '../actors/inference/gpu/gpu-lock.ts';
import { telemetryOff } from '../actors/inference/telemetry.ts';
import type { GraphRole } from '../actors/model/graph-files.ts';
import { throwIfAborted } from '../runtime/util/aborted.ts';
import { planPrefill, withinMemory } from './config/prefill-plan.ts';
import { refusePromptsOnGpu } from './config/prompts-on-gpu.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import { thisMachine, weightsOfAll } from './config/this-machine.ts';
import { type Machine, planThreads } from './config/thread-plan.ts';
import { planSharing } from './config/weight-sharing.ts';
import { chooseDevices, type Devices } from './devices/choose-devices.ts';
import { openModelFolder } from './hub/model-folder.ts';
import { loadModel } from './inspect/load-model.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { type PlacedModel, placeWeights } from './place-weights.ts';
import { machineObstacle } from './platform.ts';
import { takePoolArenas } from './pool-arenas.ts';
import { shareWeights } from './share-weights.ts';
import type { StartProgress } from './start-options.ts';

export interface StartedEngine {
  readonly pipeline: Pipeline;
  /** The model as the actors have it. */
  readonly placed: PlacedModel;
}

/** @param signal gives up between two steps */
export async function startEngine(
  config: ResolvedConfig,
  onProgress: (progress: StartProgress) => void,
  signal: AbortSignal | undefined,
): Promise<StartedEngine> {
  const obstacle = await machineObstacle();
  if (obstacle !== undefined) throw obstacle;
  await telemetryOff();
  await takePoolArenas();
  onProgress({ phase: 'inspecting', message: `reading ${config.model}` });
  const directory = await openModelFolder(
    config.model,
    { dtype: config.dtype, signal, onProgress },
    async (model) => await loadModel({ ...config, model }),
  );
  throwIfAborted(signal);
  const { mode, pools } = config;
  const devices = await chooseDevices(config.devices, {
    aggregated: mode === 'aggregated',
    weightBytes: weightsOfAll(directory.graphs),
    several: { encoder: (pools.encoder?.count ?? 1) > 1, pd: (pools.pd?.count ?? 1) > 1 },
  });
  refusePromptsOnGpu(directory, devices.pd);
  await refuseSecondGpuOwner(devices);
  throwIfAborted(signal);
  const machine = thisMachine(directory, config, devices);
  const facts = { directory, device: devices.pd, sharing: config.shareWeights };
  const planned = (on: Machine) => planPrefill(planThreads(mode, pools, on), pools.prefill, facts);
  const plan = planned(machine);
  const sharing = planSharing(mode, directory, plan, config.shareWeights, devices);
  if (sharing.some(({ share }) => share)) {
    onProgress({ phase: 'starting', message: 'preparing the weights that actors share' });
  }
  const shared = await shareWeights(directory, sharing);
  const placed = await placeWeights(directory, shared, {
    mapWeights: config.mapWeights,
    rewrittenLater: rewrittenLater(devices),
    onCopies: () => onProgress({ phase: 'starting', message: 'preparing copies of the weights' }),
  });
  throwIfAborted(signal);
  onProgress({ phase: 'starting', message: `starting actors (${mode})` });
  // Several actors are the plan where they have the weights in common.
  const apart = shared.weights.some(({ graph, shared: isShared }) => graph === 'decoder' && !isShared);
  const possible = apart ? planned({ ...machine, single: 'the weights could not be shared' }) : plan;
  const started = withinMemory(possible, pools.prefill, shared.weights);
  const pipeline = await startPipeline(placed.directory, config, started, devices, signal);
  return { pipeline, placed };
}

/** Graphs that actors rewrite for the GPU that they run on. */
function rewrittenLater({ encoder, pd }: Devices): ReadonlySet<GraphRole> {
  return new Set<GraphRole>([
    ...(isGpu(encoder) ? ['vision' as const] : []),
    ...(isGpu(pd) ? ['decoder' as const] : []),
  ]);
}

/** Said before anything is loaded; the actor's own lock is what enforces it. */
async function refuseSecondGpuOwner({ encoder, pd }: Devices): Promise<void> {
  if ((isGpu(encoder) || isGpu(pd)) && (await isGpuOwned())) throw gpuInUse('this engine');
}
