/** The model's graphs without anything of ours around them: what a plain loop of `session.run` costs. */
import { InferenceSession } from 'onnxruntime-node';

/** With the same thread settings as the engine's sessions. */
export function openBareSession(path: string, threads: number): Promise<InferenceSession> {
  const extra = { session: { intra_op: { allow_spinning: '0' } } };
  return InferenceSession.create(path, { intraOpNumThreads: threads, enableMemPattern: false, extra });
}
