/** A graph of a model, rewritten where it could be. */
import type { GraphRewrite } from '../model/rewrite/rewritten-graph.ts';
import { OrtSession, type OrtSessionOptions } from './ort-session.ts';

/** @throws ModelError when it cannot be loaded */
export function loadGraph(
  { path, rewrite }: { readonly path: string; readonly rewrite?: GraphRewrite },
  options: Omit<OrtSessionOptions, 'externalDataFolder'>,
): Promise<OrtSession> {
  if (!rewrite?.rewritten) return OrtSession.load(path, options);
  const { externalDataFolder } = rewrite;
  return OrtSession.load(rewrite.path, {
    ...options,
    ...(externalDataFolder === undefined ? {} : { externalDataFolder }),
  });
}
