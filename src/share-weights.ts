/**
 * Before the actors start: finds or makes the packed files of the graphs whose weights they are to share, once for all
 * of them, in processes of their own. What cannot be shared is loaded by each actor for itself.
 */
import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { PackedGraph, PackRequest } from '../actors/inference/packed-graph.ts';
import type {
  LoadedGraph,
  ModelDirectory,
  ModelGraphs,
  RewritableGraph,
} from '../actors/model/model-directory.ts';
import { moduleBeside } from '../runtime/module-beside.ts';
import { flagsForFiles } from '../runtime/thread/flags-for-files.ts';
import type { GraphSharing } from './config/weight-sharing.ts';

/** What became of one graph that was to be shared. */
export interface SharedWeights {
  /** Which graph of the model; `prompts`: the decoder as prompts have it, where that is another. */
  readonly graph: LoadedGraph;
  /** Whether all actors read one copy. */
  readonly shared: boolean;
  /** Why not, one line. */
  readonly reason?: string;
}

export interface SharedModel {
  /** With the packed graphs in the place of those that are shared. */
  readonly directory: ModelDirectory;
  readonly weights: readonly SharedWeights[];
}

/** Never fails for want of a packed graph: the model's own files are there. */
export async function shareWeights(
  directory: ModelDirectory,
  plan: readonly GraphSharing[],
): Promise<SharedModel> {
  const wanted = plan.filter(({ share }) => share).map(({ graph }) => graph);
  const packed = await Promise.all(
    wanted.map(async (graph) => ({ graph, result: await packGraph(directory, graph) })),
  );
  const graphs: ModelGraphs = packed.reduce(
    (all, { graph, result }) => (result.packed ? withPath(all, graph, result.path) : all),
    directory.graphs,
  );
  const weights = packed.map(({ graph, result }) =>
    result.packed ? { graph, shared: true } : { graph, shared: false, reason: result.reason },
  );
  return { directory: { ...directory, graphs }, weights };
}

async function packGraph({ graphs }: ModelDirectory, graph: LoadedGraph): Promise<PackedGraph> {
  const file: RewritableGraph | undefined = graphs[graph];
  if (file === undefined) return { packed: false, reason: 'the model has no such graph' };
  const folder = dirname(file.path);
  const weightFiles = file.signature.externalData.map(({ location }) => join(folder, location));
  const { rewrite } = file;
  if (!rewrite?.rewritten) return await inProcess({ path: file.path, weightFiles });
  const { path, externalDataFolder } = rewrite;
  const from = externalDataFolder === undefined ? {} : { externalDataFolder };
  return await inProcess({ path, weightFiles, ...from });
}

function inProcess(request: PackRequest): Promise<PackedGraph> {
  return new Promise((resolve) => {
    const failed = (how: string) => resolve({ packed: false, reason: `packing the weights ${how}` });
    const child = fork(moduleBeside(import.meta.url, './pack-process'), flagsForFiles());
    child.once('message', (result: PackedGraph) => resolve(result));
    child.once('error', (error) => failed(`failed: ${error.message}`));
    child.once('exit', (code, by) => failed(`ended early (${by ?? `exit code ${code}`})`));
    child.send(request, (error) => {
      if (error !== null) failed(`could not begin: ${error.message}`);
    });
  });
}

/** The graphs with another file for one of them, which has its weights beside it. */
function withPath(graphs: ModelGraphs, graph: LoadedGraph, path: string): ModelGraphs {
  const file: RewritableGraph | undefined = graphs[graph];
  if (file === undefined) return graphs;
  const { rewrite } = file;
  if (!rewrite?.rewritten) return { ...graphs, [graph]: { ...file, path } };
  const { externalDataFolder: _, externalDataFiles: __, ...rest } = rewrite;
  return { ...graphs, [graph]: { ...file, rewrite: { ...rest, path } } };
}
