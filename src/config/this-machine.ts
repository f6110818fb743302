/** What the thread plan depends on, as found here. */
import { availableParallelism } from 'node:os';
import { type DeviceChoice, isGpu } from '../../actors/inference/gpu/device.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../default-model.ts';
import type { Devices } from '../devices/choose-devices.ts';
import type { ResolvedConfig } from './resolve-config.ts';
import { type Machine, planThreads, SMALL_MODEL_BYTES } from './thread-plan.ts';
import { weightsOf } from './weight-sharing.ts';

/** What of the configuration decides whether there may be several actors of one kind. */
export type PoolFacts = Pick<ResolvedConfig, 'shareWeights'> & {
  readonly memory: Pick<ResolvedConfig['memory'], 'limitBytes'>;
};

type MostActorsFacts = PoolFacts & Pick<ResolvedConfig, 'mode' | 'pools' | 'devices' | 'model'>;

/** @param devices default: the CPU for all */
export function thisMachine(
  { graphs }: Pick<ModelDirectory, 'graphs'>,
  { shareWeights, memory }: PoolFacts,
  devices?: Devices,
): Machine {
  const weightBytes = weightsOfAll(graphs);
  return {
    // Affinity, and the quota of a control group, count; a quota that is no whole number is rounded by libuv.
    cores: availableParallelism(),
    weightBytes,
    decoderBytes: weightsOf(graphs.decoder),
    memoryBytes: memory.limitBytes,
    single: whySingle(weightBytes, shareWeights, devices),
  };
}

/**
 * How many actors of the language model there are at most, before the model is known: as for the smallest that is not small
 * (`SMALL_MODEL_BYTES`), save of the embedded model.
 *
 * @param cores default: those of this machine
 */
export function mostActors(
  { mode, pools, memory, shareWeights, devices, model }: MostActorsFacts,
  cores = availableParallelism(),
): number {
  const weightBytes = model === DEFAULT_MODEL_DIRECTORY ? 0 : SMALL_MODEL_BYTES;
  const single = whySingle(weightBytes, shareWeights, devices);
  return planThreads(mode, pools, { cores, weightBytes, memoryBytes: memory.limitBytes, single }).pd.count;
}

/** Of all graphs. */
export function weightsOfAll({ vision, embed, decoder, prompts }: ModelDirectory['graphs']): number {
  const files = [vision, embed, decoder, prompts].filter((graph) => graph !== undefined);
  return files.reduce((sum, file) => sum + weightsOf(file), 0);
}

function whySingle(
  weightBytes: number,
  sharing: ResolvedConfig['shareWeights'],
  devices: { readonly encoder: DeviceChoice; readonly pd: DeviceChoice } | undefined,
): string | undefined {
  if (devices !== undefined && (isGpu(devices.pd) || isGpu(devices.encoder)))
    return 'a GPU belongs to one actor';
  // Of a small model each has its own anyway.
  return sharing === 'never' && weightBytes >= SMALL_MODEL_BYTES
    ? 'weights are not shared: several actors would each have all of them'
    : undefined;
}
