/** The model's graphs without anything of ours around them: what a plain loop of `session.run` costs. */
import { InferenceSession } from '../../actors/inference/onnxruntime.ts';
import { SPINNING } from '../../actors/inference/ort-session.ts';

export interface BareGraph {
  readonly path: string;
  /** Where the weights are, when not beside the graph. */
  readonly externalDataFolder?: string;
  /** A graph that was made of it, which is loaded in its place. */
  readonly made?: Uint8Array;
  /** onnxruntime has optimized it before, and is not to do so again. */
  readonly optimized?: boolean;
}

export interface BareDevice {
  readonly provider: 'cpu' | 'webgpu';
  /** Outputs that stay on the GPU; each has to be disposed of by hand. */
  readonly kept?: readonly string[];
}

/** With the same thread settings as the engine's sessions. */
export function openBareSession(
  { path, externalDataFolder, made, optimized }: BareGraph,
  threads: number,
  { provider, kept = [] }: BareDevice = { provider: 'cpu' },
): Promise<InferenceSession> {
  const folder =
    externalDataFolder === undefined
      ? {}
      : { model_external_initializers_file_folder_path: externalDataFolder };
  const extra = { session: { intra_op: SPINNING, ...folder } };
  const location = Object.fromEntries(kept.map((name) => [name, 'gpu-buffer'] as const));
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    enableMemPattern: false,
    ...(optimized ? { graphOptimizationLevel: 'disabled' } : {}),
    logSeverityLevel: 3,
    ...(kept.length === 0 ? {} : { preferredOutputLocation: location }),
    extra,
  };
  return made === undefined
    ? InferenceSession.create(path, settings)
    : InferenceSession.create(made, settings);
}
