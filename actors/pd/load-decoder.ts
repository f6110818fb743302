/** The decoder graph of a model, rewritten where it could be. */
import { OrtSession, type OrtSessionOptions } from '../inference/ort-session.ts';
import type { ModelDirectory } from '../model/model-directory.ts';

/** @throws ModelError when it cannot be loaded */
export function loadDecoder(
  { graphs }: Pick<ModelDirectory, 'graphs'>,
  options: Pick<OrtSessionOptions, 'threads' | 'gpu'>,
): Promise<OrtSession> {
  const { rewrite } = graphs.decoder;
  if (!rewrite?.rewritten) return OrtSession.load(graphs.decoder.path, options);
  const { path, externalDataFolder } = rewrite;
  return OrtSession.load(path, {
    ...options,
    ...(externalDataFolder === undefined ? {} : { externalDataFolder }),
  });
}
