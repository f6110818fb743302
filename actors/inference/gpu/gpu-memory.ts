/**
 * The GPU as one actor owns it: which buffers live there, and what crossed between it and the host. Nothing frees a
 * GPU tensor but `dispose`: whoever takes one from a run disposes of it here, once.
 */
import type { Unlock } from '../../../runtime/thread/process-lock.ts';
import type { Tensors } from '../graph-session.ts';
import type { Tensor } from '../onnxruntime.ts';
import type { GpuDevice } from './device.ts';
import { gpuInUse } from './gpu-errors.ts';
import { takeGpu } from './gpu-lock.ts';
import type { GpuStats } from './gpu-stats.ts';

export class GpuMemory {
  readonly device: GpuDevice;
  readonly #unlock: Unlock;
  readonly #live = new Map<Tensor, number>();
  #hostToDevice = 0;
  #deviceToHost = 0;
  #lost: Error | undefined;
  #promptTokensPerRun: number | undefined;

  private constructor(device: GpuDevice, unlock: Unlock) {
    this.device = device;
    this.#unlock = unlock;
  }

  /**
   * Makes this thread the owner of the GPU.
   * @param who the actor's name
   * @throws TroupeError `GPU_IN_USE`, when another thread of the process has it
   */
  static async own(device: GpuDevice, who: string, patienceMs?: number): Promise<GpuMemory> {
    const unlock = await takeGpu(patienceMs);
    if (unlock === undefined) throw gpuInUse(who);
    return new GpuMemory(device, unlock);
  }

  /** Set once nothing on the GPU can be used any more: the actor has to end. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  noteLost(error: Error): void {
    this.#lost ??= error;
  }

  /** Counts what a run was given from the host. */
  noteFeeds(feeds: Tensors): void {
    for (const tensor of Object.values(feeds)) if (onHost(tensor)) this.#hostToDevice += bytesOf(tensor);
  }

  /** Counts what a run handed to the host, and takes hold of what it left on the GPU. */
  noteOutputs(outputs: Tensors): void {
    for (const tensor of Object.values(outputs)) {
      if (onHost(tensor)) this.#deviceToHost += bytesOf(tensor);
      else this.#live.set(tensor, bytesOf(tensor));
    }
  }

  /** Takes what was found out about the device; what crossed for that does not count. */
  noteTried(promptTokensPerRun: number): void {
    this.#promptTokensPerRun = promptTokensPerRun;
    this.forgetTraffic();
  }

  /** What crossed for a trial before the first request does not count. */
  forgetTraffic(): void {
    this.#hostToDevice = 0;
    this.#deviceToHost = 0;
  }

  /** Frees tensors; those that lie in the host's memory, or are freed already, are passed over. */
  dispose(tensors: Iterable<Tensor | undefined>): void {
    for (const tensor of tensors) {
      if (tensor !== undefined && this.#live.delete(tensor)) tensor.dispose();
    }
  }

  stats(): GpuStats {
    return {
      device: this.device,
      liveBuffers: this.#live.size,
      liveBytes: [...this.#live.values()].reduce((sum, bytes) => sum + bytes, 0),
      hostToDeviceBytes: this.#hostToDevice,
      deviceToHostBytes: this.#deviceToHost,
      ...(this.#promptTokensPerRun === undefined ? {} : { promptTokensPerRun: this.#promptTokensPerRun }),
    };
  }

  /** Frees what is left and lets another thread have the GPU. To be called after the sessions are released. */
  release(): void {
    this.dispose([...this.#live.keys()]);
    this.#unlock();
  }
}

function onHost({ location }: Tensor): boolean {
  return location === 'cpu' || location === 'cpu-pinned' || location === 'none';
}

const WIDTHS: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  uint32: 4,
  float64: 8,
  int64: 8,
  uint64: 8,
  float16: 2,
  int16: 2,
  uint16: 2,
};

function bytesOf({ size, type }: Tensor): number {
  return size * (WIDTHS[type] ?? 1);
}
