/** A graph of a model, rewritten where it could be. */
import type { RewritableGraph } from '../model/model-directory.ts';
import type { GraphRewrite } from '../model/rewrite/rewritten-graph.ts';
import { OrtSession, type OrtSessionOptions } from './ort-session.ts';

type GraphToLoad = Pick<RewritableGraph, 'path' | 'readsWeights'> &
  Partial<Pick<RewritableGraph, 'signature'>> & { readonly rewrite?: GraphRewrite };

/** @throws ModelError when it cannot be loaded */
export function loadGraph(
  { path, rewrite, signature, readsWeights }: GraphToLoad,
  options: Omit<OrtSessionOptions, 'externalDataFolder' | 'readWeights'>,
): Promise<OrtSession> {
  const files = new Set(signature?.externalData.map(({ location }) => location));
  const read = { ...options, ...(readsWeights ? { readWeights: [...files] } : {}) };
  if (!rewrite?.rewritten) return OrtSession.load(path, read);
  const { externalDataFolder } = rewrite;
  return OrtSession.load(rewrite.path, {
    ...read,
    ...(externalDataFolder === undefined ? {} : { externalDataFolder }),
  });
}
