/** What a GPU counts: a file of its own, for it is part of the public types, which must not need onnxruntime's. */
import type { GpuDevice } from './device.ts';

/** What an actor's GPU counts. Plain data. */
export interface GpuStats {
  /** Which of onnxruntime's providers it is. */
  readonly device: GpuDevice;
  /** Tensors that are held there now, the weights not included. */
  readonly liveBuffers: number;
  /** Bytes of those tensors. */
  readonly liveBytes: number;
  /** Bytes of inputs that lay in the host's memory, so far. */
  readonly hostToDeviceBytes: number;
  /** Bytes of outputs that were handed over to the host, so far. */
  readonly deviceToHostBytes: number;
  /**
   * Most tokens of a prompt in one run, as it was found out when the decoder was loaded; absent where nothing had to be:
   * see `gpu-prompt-check.ts`.
   */
  readonly promptTokensPerRun?: number;
}
