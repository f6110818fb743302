/**
 * The ONNX files of a model directory. Each graph may be there in several precisions, told apart by the file
 * name's suffix; one is chosen per graph, so a directory may mix an fp16 vision graph with a 4-bit decoder.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ModelError } from '../errors.ts';
import { isMissing } from './model-files.ts';
import type { ExternalData, GraphSignature } from './onnx/graph-signature.ts';

/** Precision of a graph's weights, named as the Hub's JavaScript exports name them. */
export type Dtype = 'fp32' | 'q4' | 'q8' | 'int8' | 'uint8' | 'fp16' | 'q4f16' | 'bnb4';

/** Precisions in the order in which they are preferred, with the suffix of their files. */
const SUFFIXES: Readonly<Record<Dtype, string>> = {
  fp32: '',
  q4: '_q4',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  fp16: '_fp16',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
};

const isDtype = (name: string): name is Dtype => name in SUFFIXES;
export const DTYPES: readonly Dtype[] = Object.keys(SUFFIXES).filter(isDtype);

/** What a graph of a model is for: images to embeddings, tokens to embeddings, embeddings to the next token. */
export type GraphRole = 'vision' | 'embed' | 'decoder';

/** The graphs of a model by role, with the file name they have before suffix and extension. */
const BASE_NAMES: Readonly<Record<GraphRole, string>> = {
  vision: 'vision_encoder',
  embed: 'embed_tokens',
  decoder: 'decoder_model_merged',
};

/** One graph, ready to be loaded. */
export interface GraphFile {
  readonly path: string;
  readonly dtype: Dtype;
  readonly signature: GraphSignature;
  /** How weights in files beside it get into memory. Default: these very files are mapped. */
  readonly weights?: WeightsFrom;
}

/** Files with weights are read into memory, or copies of theirs are mapped, from this folder. */
export type WeightsFrom = 'read' | { readonly copies: string };

/** One precision for all graphs, or one for each. */
export type DtypeChoice = Dtype | Readonly<Partial<Record<GraphRole, Dtype>>>;

export interface FoundGraph {
  readonly path: string;
  readonly dtype: Dtype;
}

/**
 * Chooses the file of a role in `folder`; null when the role has no file at all.
 *
 * @param names the names in `folder` (see `listGraphFolder`)
 * @throws ModelError MODEL_DTYPE_MISSING when a precision is asked for that is not there
 */
export function findGraph(
  folder: string,
  names: ReadonlySet<string>,
  role: GraphRole,
  choice: DtypeChoice | undefined,
): FoundGraph | null {
  const fileName = (dtype: Dtype): string => `${BASE_NAMES[role]}${SUFFIXES[dtype]}.onnx`;
  const present = DTYPES.filter((dtype) => names.has(fileName(dtype)));
  if (present.length === 0) return null;
  const wanted = typeof choice === 'object' ? choice[role] : choice;
  const dtype = wanted === undefined ? present[0] : present.find((one) => one === wanted);
  if (dtype === undefined) {
    const facts = { path: folder, remedy: `Choose one of: ${present.join(', ')}.` };
    throw new ModelError(
      'MODEL_DTYPE_MISSING',
      `The model has no ${BASE_NAMES[role]} of dtype ${wanted}`,
      facts,
    );
  }
  return { path: join(folder, fileName(dtype)), dtype };
}

/** @throws ModelError MODEL_FILE_MISSING */
export async function listGraphFolder(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    const remedy = 'Use a directory with ONNX exports in its folder onnx.';
    throw new ModelError(
      'MODEL_FILE_MISSING',
      'The model has no ONNX files',
      { path: folder, remedy },
      cause,
    );
  }
}

/** @throws ModelError MODEL_FILE_MISSING naming the file that a role needs */
export function requiredGraph(folder: string, role: GraphRole): ModelError {
  const path = join(folder, `${BASE_NAMES[role]}.onnx`);
  return new ModelError('MODEL_FILE_MISSING', `The model has no ${role} graph`, {
    path,
    remedy: `Add it, or one with a suffix for its precision (${Object.values(SUFFIXES).join(' ').trim()}).`,
  });
}

/**
 * Checks that the files with a graph's weights are there, inside the graph's folder, and long enough. Links may lead to
 * elsewhere in the model directory, or to where the graph itself is, as in download caches; and nowhere else: a model must
 * not make weights of whatever this user can read.
 *
 * @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT
 */
export async function checkExternalData(graphPath: string, files: readonly ExternalData[]): Promise<void> {
  const folder = dirname(graphPath);
  for (const { location, byteLength } of files) {
    const path = resolve(folder, location);
    if (!isInside(folder, path)) throw notItsOwn(graphPath, location);
    const size = await fileSize(path);
    const real = await realpath(path);
    const [model, beside] = [await realpath(dirname(folder)), dirname(await realpath(graphPath))];
    if (!isInside(model, real) && !isInside(beside, real)) throw notItsOwn(graphPath, location);
    if (size >= byteLength) continue;
    const facts = { path, remedy: 'Download the file again.' };
    throw new ModelError('MODEL_FILE_CORRUPT', `The weights end at byte ${size} of ${byteLength}`, facts);
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function notItsOwn(path: string, location: string): ModelError {
  const remedy =
    'Do not use this model: it reads files that are not its own. If they are, put them there without a link.';
  return new ModelError('MODEL_FILE_CORRUPT', `The graph points outside its folder (${location})`, {
    path,
    remedy,
  });
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    const problem = isMissing(cause)
      ? 'A file with weights is missing'
      : 'A file with weights cannot be read';
    throw new ModelError('MODEL_FILE_MISSING', problem, { path, remedy: 'Download the file again.' }, cause);
  }
}
