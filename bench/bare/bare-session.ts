/** The model's graphs without anything of ours around them: what a plain loop of `session.run` costs. */
import { InferenceSession } from 'onnxruntime-node';

export interface BareGraph {
  readonly path: string;
  /** Where the weights are, when not beside the graph. */
  readonly externalDataFolder?: string;
}

/** With the same thread settings as the engine's sessions. */
export function openBareSession(
  { path, externalDataFolder }: BareGraph,
  threads: number,
): Promise<InferenceSession> {
  const folder =
    externalDataFolder === undefined
      ? {}
      : { model_external_initializers_file_folder_path: externalDataFolder };
  const extra = { session: { intra_op: { allow_spinning: '0' }, ...folder } };
  return InferenceSession.create(path, { intraOpNumThreads: threads, enableMemPattern: false, extra });
}
