/**
 * Decides on which device each role runs. What was asked for by name must start, else it is an error; `auto` takes the
 * GPU only where a hardware one is known to be there and the model is large enough to gain.
 */
import { type Device, type DeviceChoice, type GpuDevice, isGpu } from '../../actors/inference/gpu/device.ts';
import { gpuUnavailable } from '../../actors/inference/gpu/gpu-errors.ts';
import type { DeviceChoices } from '../config/device-choices.ts';
import { hardwareGpu, type ProbeResult, probeGpu } from './probe-gpu.ts';

export interface Devices {
  readonly encoder: Device;
  readonly pd: Device;
}

export interface DeviceFacts {
  readonly aggregated: boolean;
  /** Of the model's graphs together. */
  readonly weightBytes: number;
  /** A role has several actors, which cannot share a GPU. */
  readonly several: { readonly encoder: boolean; readonly pd: boolean };
}

export interface DeviceProbes {
  probe(device: GpuDevice): Promise<ProbeResult>;
  hardware(): string | undefined;
}

/**
 * Smaller models decode faster on the CPU: a step of the embedded model (17 MB) takes 6 to 8 ms on an H100, bounded by
 * the number of operators, and 1 ms on the host's CPU; one of a 256M model (1 GB) 13 ms against 16.
 */
const WORTH_A_GPU_BYTES = 256 * 1024 * 1024;

const REAL: DeviceProbes = { probe: probeGpu, hardware: hardwareGpu };

/** @throws TroupeError `GPU_UNAVAILABLE` for a device asked for by name that does not start */
export async function chooseDevices(
  choices: DeviceChoices,
  facts: DeviceFacts,
  probes: DeviceProbes = REAL,
): Promise<Devices> {
  for (const device of new Set([choices.encoder, choices.pd])) {
    if (!isGpu(device)) continue;
    const result = await probes.probe(device);
    if (!result.works) throw gpuUnavailable(device, result);
  }
  const pd = await decide(
    choices.pd,
    facts,
    facts.several.pd,
    isGpu(choices.encoder) && !facts.aggregated,
    probes,
  );
  if (facts.aggregated) return { encoder: pd, pd };
  return { encoder: await decide(choices.encoder, facts, facts.several.encoder, isGpu(pd), probes), pd };
}

async function decide(
  choice: DeviceChoice,
  facts: DeviceFacts,
  several: boolean,
  taken: boolean,
  probes: DeviceProbes,
): Promise<Device> {
  if (choice !== 'auto') return choice;
  if (several || taken) return 'cpu';
  return (await whyNoGpu(facts.weightBytes, probes)) === undefined ? 'webgpu' : 'cpu';
}

/** Why `auto` does not choose WebGPU, as a sentence without a full stop. */
export async function whyNoGpu(
  weightBytes: number,
  probes: DeviceProbes = REAL,
): Promise<string | undefined> {
  if (probes.hardware() === undefined) {
    return 'no hardware GPU is known here, and an emulated one is slower than the CPU';
  }
  if (weightBytes < WORTH_A_GPU_BYTES) return 'the model is small: its steps are faster on the CPU';
  const result = await probes.probe('webgpu');
  return result.works ? undefined : result.problem;
}
