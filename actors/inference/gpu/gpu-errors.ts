/** How a GPU fails: it is not there, it is somebody else's, or it goes away during the work. */
import { TroupeError } from '../../../runtime/errors.ts';
import { messageOf } from '../../../runtime/util/realms.ts';
import type { GpuDevice } from './device.ts';

/** What a provider that does not start lacks, and what helps. */
export interface MissingPiece {
  /** A library, a driver, a variable: `libvulkan.so.1`. */
  readonly missing: string;
  /** One sentence without a full stop. */
  readonly problem: string;
  readonly remedy: string;
}

/** `GPU_UNAVAILABLE`: the provider cannot start on this machine. */
export function gpuUnavailable(device: GpuDevice, piece: MissingPiece, cause?: unknown): TroupeError {
  const { missing, problem, remedy } = piece;
  return new TroupeError(`The ${device} provider cannot start: ${problem}. ${remedy}`, {
    code: 'GPU_UNAVAILABLE',
    details: { device, missing, remedy },
    cause,
  });
}

/** `GPU_IN_USE`: another thread of this process has the GPU. */
export function gpuInUse(who: string): TroupeError {
  const remedy = 'Stop the other engine first, run this one on the CPU, or start it in a process of its own';
  return new TroupeError(
    `${who} cannot have the GPU: another actor of this process owns it, and two threads with GPU sessions in one process crash it. ${remedy}`,
    { code: 'GPU_IN_USE', details: { actor: who, remedy } },
  );
}

/** `GPU_LOST`: the device went away, or its memory is full. The actor is started anew, with an empty GPU. */
export function gpuLost(reason: string, cause: unknown): TroupeError {
  return new TroupeError(`The GPU was lost: ${reason}`, { code: 'GPU_LOST', retrySafe: true, cause });
}

/** Dawn hands out a buffer for which there was no memory, and says so when it is used: "invalid due to a previous error". */
const LOST =
  /invalid due to a previous error|device (is |was )?lost|DEVICE_LOST|out of (device |host |gpu )?memory|OUT_OF_(DEVICE|HOST)_MEMORY|failed to allocate.*buffer/i;

/** Whether a failed run means that nothing of this device can be used any more. */
export function isGpuLoss(error: unknown): boolean {
  return LOST.test(messageOf(error));
}

const KNOWN: readonly (MissingPiece & { readonly sign: RegExp })[] = [
  {
    sign: /libvulkan\.so|Couldn't load Vulkan/i,
    missing: 'libvulkan.so.1',
    problem: 'the Vulkan loader libvulkan.so.1 is not found',
    remedy: "Install it (Debian's package libvulkan1), or name its folder in LD_LIBRARY_PATH",
  },
  {
    sign: /Found no drivers|INCOMPATIBLE_DRIVER/i,
    missing: 'VK_DRIVER_FILES',
    problem: 'no Vulkan driver is found',
    remedy:
      "Install the GPU's Vulkan driver, or name its description (a *_icd.json) in VK_DRIVER_FILES and VK_ICD_FILENAMES",
  },
  {
    sign: /XDG_RUNTIME_DIR/,
    missing: 'XDG_RUNTIME_DIR',
    problem: 'the Vulkan driver needs XDG_RUNTIME_DIR',
    remedy: 'Set it to a folder of the user',
  },
  {
    sign: /libonnxruntime_providers_cuda|libcu(da|dnn|blas|rt)|CUDAExecutionProvider|cuda/i,
    missing: 'libonnxruntime_providers_cuda.so',
    problem: "onnxruntime's CUDA provider, or a CUDA library that it needs, is not found",
    remedy: "Put onnxruntime's CUDA libraries beside its binding (see docs/gpu.md), or choose webgpu",
  },
  {
    sign: /No supported adapters|Failed to get a WebGPU adapter/i,
    missing: 'adapter',
    problem: 'the Vulkan driver offers no adapter that WebGPU can use',
    remedy: 'Use a GPU and driver with Vulkan 1.1; lavapipe is not accepted, SwiftShader is',
  },
];

/** Reads from what a provider said which piece is missing. */
export function missingPiece(said: string): MissingPiece {
  const known = KNOWN.find(({ sign }) => sign.test(said));
  if (known !== undefined) return { missing: known.missing, problem: known.problem, remedy: known.remedy };
  const problem = said.replace(/\s+/g, ' ').trim().slice(0, 200) || 'it gave no reason';
  return { missing: 'unknown', problem, remedy: 'Run on the CPU, or see docs/gpu.md' };
}
