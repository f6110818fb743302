/** The GPU of an actor, if it is to run on one. */
import { type Device, isGpu } from './device.ts';
import { GpuMemory } from './gpu-memory.ts';

/** Calls `load` as the owner of the GPU, which it is no longer when `load` fails. @throws TroupeError `GPU_IN_USE` */
export async function owningGpu<T>(
  device: Device,
  who: string,
  load: (gpu: GpuMemory | undefined) => Promise<T>,
): Promise<T> {
  const gpu = isGpu(device) ? await GpuMemory.own(device, who) : undefined;
  try {
    return await load(gpu);
  } catch (error) {
    gpu?.release();
    throw error;
  }
}
