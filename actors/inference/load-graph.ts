/** A graph of a model, rewritten where it could be. */
import type { RewritableGraph } from '../model/model-directory.ts';
import { OrtSession, type OrtSessionOptions } from './ort-session.ts';

/** @throws ModelError when it cannot be loaded */
export function loadGraph(
  { path, rewrite }: Pick<RewritableGraph, 'path' | 'rewrite'>,
  options: Omit<OrtSessionOptions, 'externalDataFolder'>,
): Promise<OrtSession> {
  if (!rewrite?.rewritten) return OrtSession.load(path, options);
  const { externalDataFolder } = rewrite;
  return OrtSession.load(rewrite.path, {
    ...options,
    ...(externalDataFolder === undefined ? {} : { externalDataFolder }),
  });
}
