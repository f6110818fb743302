/**
 * A rewritten graph on disk: made once for a graph's content, found at every later start. The weights of a graph
 * with external data stay where they are: the rewritten file names them, and onnxruntime is told their folder. A graph that
 * gets other weights has all of them in a file beside it.
 */
import { createHash } from 'node:crypto';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { messageOf } from '../../../runtime/util/realms.ts';
import { cacheRoots } from '../cache-roots.ts';
import { cachedFolder, fileHash, NOT_KEPT } from '../graph-cache.ts';
import { tensorsOf } from '../onnx/graph-tensors.ts';
import { decodeModel, encodeModel } from '../onnx/onnx-proto.ts';
import { DATA_LOCATION_EXTERNAL, type OnnxModel, type OnnxTensor } from '../onnx/onnx-types.ts';
import { TensorReader } from '../onnx/tensor-reader.ts';
import { NotRewritable } from './not-rewritable.ts';
import { WeightsFile } from './weights-file.ts';

/** Part of every cache key: raise it whenever the same graph would be rewritten differently. */
export const REWRITER_VERSION = 17;

/** Plain data: it travels to the actors with the model directory. */
export type GraphRewrite<Facts = object> =
  | ({
      readonly rewritten: true;
      readonly path: string;
      /** Where the weights are, when they are not in the file itself. */
      readonly externalDataFolder?: string;
      /** What the rewritten graph calls the files with them. */
      readonly externalDataFiles?: readonly string[];
    } & Facts)
  | {
      readonly rewritten: false;
      /** One line. The graph then runs as it came. */
      readonly reason: string;
    };

export interface GraphToRewrite {
  /** The model directory: where the cache is looked for first. */
  readonly modelPath: string;
  /** The graph's file. */
  readonly path: string;
}

export interface Rewriting<Facts> {
  /** Names the entry in the cache and its files. */
  readonly purpose: string;
  /** What the result depends on besides the graph. */
  readonly settings: unknown;
  /** Present where it gets other weights: name of the file with all of them, beside the graph. */
  readonly weightsName?: string;
  /**
   * Changes the model in place.
   *
   * @param weights reads those that it has
   * @param target takes those that it is to have; there with `weightsName`
   * @throws NotRewritable
   */
  rewrite(model: OnnxModel, weights: TensorReader, target: WeightsFile | undefined): Facts;
  /** Of what `rewrite` returns, as it is kept in a file. */
  readonly facts: z.ZodType<Facts>;
}

/** Finds or makes a rewritten graph. Never fails: what cannot be rewritten, or kept, is reported. */
export async function rewrittenGraph<Facts extends object>(
  graph: GraphToRewrite,
  rewriting: Rewriting<Facts>,
): Promise<GraphRewrite<Facts>> {
  try {
    return await findOrMake(graph, rewriting);
  } catch (error) {
    if (error instanceof NotRewritable) return { rewritten: false, reason: error.message };
    const reason = `${NOT_KEPT}: ${messageOf(error)}`;
    return { rewritten: false, reason: reason.replace(/\s+/g, ' ') };
  }
}

async function findOrMake<Facts extends object>(
  { modelPath, path }: GraphToRewrite,
  { purpose, settings, weightsName, rewrite, facts }: Rewriting<Facts>,
): Promise<GraphRewrite<Facts>> {
  const bytes = await readFile(path);
  const model = decodeModel(bytes);
  const weights = await weightFiles(model, dirname(path));
  const hash = createHash('sha256')
    .update(JSON.stringify([REWRITER_VERSION, settings, weights.names]))
    .update(bytes);
  if (weightsName !== undefined) for (const file of weights.paths) hash.update(await fileHash(file));
  const key = hash.digest('hex');
  const [graphName, factsName] = [`${purpose}.onnx`, `${purpose}.json`];
  const folder = await cachedFolder(cacheRoots(modelPath), {
    purpose,
    key,
    needs: [graphName, factsName, ...(weightsName === undefined ? [] : [weightsName])],
    make: async (draft) => {
      const reader = new TensorReader(dirname(path));
      using target = weightsName === undefined ? undefined : new WeightsFile(join(draft, weightsName));
      const made = rewrite(model, reader, target);
      for (const tensor of tensorsOf(model.graph ?? {})) {
        if (target === undefined) relocate(tensor, weights.names);
        else target.adopt(tensor, reader);
      }
      await writeFile(join(draft, graphName), encodeModel(model));
      await writeFile(join(draft, factsName), JSON.stringify(made));
    },
  });
  const known = facts.parse(JSON.parse(await readFile(join(folder, factsName), 'utf8')));
  const externalDataFolder = weightsName === undefined ? weights.folder : undefined;
  return {
    ...known,
    rewritten: true,
    path: join(folder, graphName),
    ...(externalDataFolder !== undefined && {
      externalDataFolder,
      externalDataFiles: Object.values(weights.names),
    }),
  };
}

interface WeightFiles {
  /** Undefined without external data. */
  readonly folder: string | undefined;
  /** From the location that the graph gives to the name that the file really has. */
  readonly names: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
}

/**
 * Where a graph's external data really is. onnxruntime accepts no path that leaves the given folder, links followed,
 * and download caches keep the files behind links with other names.
 */
async function weightFiles(model: OnnxModel, graphFolder: string): Promise<WeightFiles> {
  const names: Record<string, string> = {};
  const folders = new Set<string>();
  const paths: string[] = [];
  for (const tensor of tensorsOf(model.graph ?? {})) {
    const location = locationOf(tensor)?.value;
    if (location === undefined || names[location] !== undefined) continue;
    const real = await realpath(join(graphFolder, location));
    names[location] = basename(real);
    folders.add(dirname(real));
    paths.push(real);
  }
  if (folders.size > 1) throw new NotRewritable('its external data lies in several folders');
  return { folder: [...folders][0], names, paths };
}

function relocate(tensor: OnnxTensor, names: Readonly<Record<string, string>>): void {
  const location = locationOf(tensor);
  if (location?.value !== undefined) location.value = names[location.value] ?? location.value;
}

function locationOf(tensor: OnnxTensor) {
  if (tensor.dataLocation !== DATA_LOCATION_EXTERNAL) return undefined;
  return tensor.externalData?.find(({ key }) => key === 'location');
}
