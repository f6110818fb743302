/** Which of onnxruntime's providers start on this machine, and what `auto` would choose. */
import { whyNoGpu } from '../devices/choose-devices.ts';
import { hardwareGpu, type ProbeResult, probeGpu } from '../devices/probe-gpu.ts';
import { machineObstacle } from '../platform.ts';

/** Whether one of onnxruntime's providers starts here. */
export interface InspectedProvider {
  /** Its name. */
  readonly provider: 'cpu' | 'webgpu' | 'cuda';
  /** Whether it starts; tried in a process of its own. */
  readonly works: boolean;
  /** Why not, as a sentence without a full stop; which piece is missing, and what helps. */
  readonly problem?: string;
  /** The piece that is missing: a library, a driver, a variable. */
  readonly missing?: string;
  /** What helps, one sentence. */
  readonly remedy?: string;
}

/** What this machine can run a model on. */
export interface InspectedDevices {
  /** The CPU first; each as it was tried now. */
  readonly providers: readonly InspectedProvider[];
  /** A sign of a hardware GPU: a device file. onnxruntime does not tell which adapter it would use. */
  readonly hardware?: string;
  /** What `--device auto` chooses for an actor that is alone in its pool. */
  readonly auto: 'webgpu' | 'cpu';
  /** Why `auto` does not choose a GPU. */
  readonly autoReason?: string;
}

/** @param weightBytes of the model's graphs together */
export async function inspectDevices(weightBytes: number): Promise<InspectedDevices> {
  const hardware = hardwareGpu();
  const webgpu = await probeGpu('webgpu');
  const cuda = await probeGpu('cuda');
  const reason = await whyNoGpu(weightBytes, { probe: async () => webgpu, hardware: () => hardware });
  return {
    providers: [await cpu(), reported('webgpu', webgpu), reported('cuda', cuda)],
    ...(hardware === undefined ? {} : { hardware }),
    auto: reason === undefined ? 'webgpu' : 'cpu',
    ...(reason === undefined ? {} : { autoReason: reason }),
  };
}

/** It starts wherever onnxruntime's library does. */
async function cpu(): Promise<InspectedProvider> {
  const { problem, remedy } = (await machineObstacle())?.details ?? {};
  if (problem === undefined) return { provider: 'cpu', works: true };
  return { provider: 'cpu', works: false, problem: String(problem), remedy: String(remedy) };
}

function reported(provider: 'webgpu' | 'cuda', result: ProbeResult): InspectedProvider {
  return { provider, ...result };
}
