/**
 * How weights in files beside the graphs get into memory, and which files actors then depend on. onnxruntime maps such
 * files, and a mapped file that is written to or cut gives wrong answers or ends the process. So copies are mapped, which
 * the graph cache keeps; small files are read, and so are all where no copy can be kept.
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileStamp, refuseChange, stampOf } from '../actors/model/file-stamps.ts';
import { MANIFEST } from '../actors/model/graph-cache.ts';
import type { GraphRole, WeightsFrom } from '../actors/model/graph-files.ts';
import type {
  LoadedGraph,
  ModelDirectory,
  ModelGraphs,
  RewritableGraph,
} from '../actors/model/model-directory.ts';
import { type CopiedWeights, sizeOf, type WeightFile } from '../actors/model/weight-copies.ts';
import type { MapWeights } from './config/weight-sharing.ts';
import { GraphPool } from './inspect/graph-pool.ts';
import type { SharedModel } from './share-weights.ts';
import { filesToCopy, weightPaths } from './weight-files.ts';

/** A model whose weights have their places. */
export interface PlacedModel extends SharedModel {
  /** Why weights are read that were to be copied, a line each. */
  readonly notCopied: readonly string[];
  /** Files whose change is worth a word: those that actors read, and the originals of copies. */
  readonly watched: readonly FileStamp[];
  /** Folders of the graph cache that are mapped from. */
  readonly cacheFolders: readonly string[];
}

export interface Placing {
  readonly mapWeights: MapWeights;
  /** Graphs that actors rewrite for themselves, as they do on a GPU. */
  readonly rewrittenLater: ReadonlySet<GraphRole>;
  /** Called before weights are copied, or copies are checked. */
  onCopies(): void;
}

/** Reading so much costs an actor less than what it takes anyway. */
const READ_UP_TO_BYTES = 16 * 1024 * 1024;

const ROLES: readonly GraphRole[] = ['vision', 'embed', 'decoder'];

/**
 * @param opened the model as it was opened
 * @param shared the same, with packed graphs in the place of those whose weights are shared
 * @throws ModelError `MODEL_FILE_CHANGED` when a file was changed since it was opened
 */
export async function placeWeights(
  opened: ModelDirectory,
  shared: SharedModel,
  placing: Placing,
): Promise<PlacedModel> {
  const { mapWeights } = placing;
  const packed = shared.weights.flatMap((one) => (one.shared ? [one.graph] : []));
  const own = ROLES.filter((role) => !packed.includes(role) && pathsOf(opened, role).length > 0);
  const copies = mapWeights === 'copies' ? await copyAll(opened, own, placing) : NO_COPIES;
  await refuseChange(opened.stamps); // while they were copied
  const readsPrompts = mapWeights === 'never' && !packed.includes('prompts');
  const from = (role: LoadedGraph): WeightsFrom | undefined => {
    // They lie in the graph cache, as copies do.
    if (role === 'prompts') return readsPrompts ? 'read' : undefined;
    const copy = copies.get(role);
    if (copy?.copied) return { copies: copy.folder };
    return own.includes(role) && mapWeights !== 'originals' ? 'read' : undefined;
  };
  const graphs = placedGraphs(shared.directory.graphs, from);
  const mappedThere = new Set<LoadedGraph>(readsPrompts ? packed : [...packed, 'prompts']);
  const cacheFolders = [...mappedThere]
    .flatMap((role) => graphs[role] ?? [])
    .map((graph) => dirname(loadedPath(graph)))
    .concat([...copies.values()].flatMap((copy) => (copy.copied ? [copy.folder] : [])));
  const inUse = new Set(
    own.filter((role) => !copies.get(role)?.copied).flatMap((role) => pathsOf(opened, role)),
  );
  const unused = new Set(ROLES.flatMap((role) => pathsOf(opened, role)).filter((path) => !inUse.has(path)));
  const isMapped = (path: string) => mapWeights === 'originals' && inUse.has(path);
  const stamps = opened.stamps
    .filter(({ path }) => !unused.has(path))
    .map((stamp) => (isMapped(stamp.path) ? { ...stamp, mapped: true } : stamp))
    .concat(await mappedStamps(cacheFolders));
  return {
    directory: { ...shared.directory, graphs, stamps },
    weights: shared.weights,
    notCopied: [...copies.values()].flatMap((copy) => (copy.copied ? [] : [copy.reason])),
    watched: stamps.concat(opened.stamps.filter(({ path }) => unused.has(path))),
    cacheFolders,
  };
}

const NO_COPIES: ReadonlyMap<GraphRole, CopiedWeights> = new Map();

/** Copies of the weights of these graphs, where they are worth one. */
async function copyAll(
  opened: ModelDirectory,
  roles: readonly GraphRole[],
  { rewrittenLater, onCopies }: Placing,
): Promise<ReadonlyMap<GraphRole, CopiedWeights>> {
  const worth = await Promise.all(
    roles.map(async (role): Promise<readonly (readonly [GraphRole, readonly WeightFile[]])[]> => {
      const graph = opened.graphs[role];
      const files = graph && (await filesToCopy(graph, rewrittenLater.has(role)));
      const bytes = await sizeOf(pathsOf(opened, role));
      return files !== undefined && bytes > READ_UP_TO_BYTES ? [[role, files]] : [];
    }),
  );
  const wanted = worth.flat();
  if (wanted.length === 0) return NO_COPIES;
  onCopies();
  const pool = await GraphPool.open();
  try {
    const copied = wanted.map(async ([role, files]) => [role, await pool.run('copyWeights', files)] as const);
    return new Map(await Promise.all(copied));
  } finally {
    await pool.close();
  }
}

function placedGraphs(
  { vision, embed, decoder, prompts, ...others }: ModelGraphs,
  from: (role: LoadedGraph) => WeightsFrom | undefined,
): ModelGraphs {
  others satisfies Record<string, never>; // a graph that is left out here is loaded by nobody
  const placed = <Graph extends RewritableGraph<unknown>>(role: LoadedGraph, graph: Graph): Graph => {
    const weights = from(role);
    return weights === undefined ? graph : { ...graph, weights };
  };
  return {
    ...(vision && { vision: placed('vision', vision) }),
    ...(embed && { embed: placed('embed', embed) }),
    decoder: placed('decoder', decoder),
    ...(prompts && { prompts: placed('prompts', prompts) }),
  };
}

/** The model's own files with the weights of a graph. */
function pathsOf({ graphs }: ModelDirectory, role: GraphRole): readonly string[] {
  const graph = graphs[role];
  return graph === undefined ? [] : weightPaths(graph);
}

function loadedPath({ path, rewrite }: RewritableGraph): string {
  return rewrite?.rewritten ? rewrite.path : path;
}

async function mappedStamps(folders: readonly string[]): Promise<FileStamp[]> {
  const paths = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  );
  const mapped = paths.flat().filter((path) => basename(path) !== MANIFEST);
  return await Promise.all(mapped.map(async (path) => ({ ...(await stampOf(path)), mapped: true })));
}
