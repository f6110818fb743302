/** A graph of a model, rewritten where it could be, with its weights from where they are to come. */
import { basename } from 'node:path';
import type { RewritableGraph } from '../model/model-directory.ts';
import type { GraphRewrite } from '../model/rewrite/rewritten-graph.ts';
import { OrtSession, type OrtSessionOptions, PACKED_GRAPH, PACKED_WEIGHTS_FILE } from './ort-session.ts';

type GraphToLoad = Pick<RewritableGraph, 'path' | 'weights'> &
  Partial<Pick<RewritableGraph, 'signature'>> & { readonly rewrite?: GraphRewrite };

type WeightOptions = Pick<OrtSessionOptions, 'externalDataFolder' | 'readWeights' | 'mappedWeights'>;

/** @throws ModelError when it cannot be loaded */
export function loadGraph(
  graph: GraphToLoad,
  options: Omit<OrtSessionOptions, keyof WeightOptions>,
): Promise<OrtSession> {
  const path = graph.rewrite?.rewritten ? graph.rewrite.path : graph.path;
  const isPacked = basename(path) === PACKED_GRAPH;
  const weights = isPacked ? { mappedWeights: [PACKED_WEIGHTS_FILE] } : weightOptions(graph);
  return OrtSession.load(path, { ...options, ...weights });
}

function weightOptions({ weights, rewrite, signature }: GraphToLoad): WeightOptions {
  const rewritten = rewrite?.rewritten ? rewrite : undefined;
  const files = rewritten?.externalDataFiles ?? signature?.externalData.map(({ location }) => location) ?? [];
  if (files.length === 0) return {};
  const folder = typeof weights === 'object' ? weights.copies : rewritten?.externalDataFolder;
  return {
    ...(folder !== undefined && { externalDataFolder: folder }),
    [weights === 'read' ? 'readWeights' : 'mappedWeights']: [...new Set(files)],
  };
}
