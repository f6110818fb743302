/**
 * A graph with its weights packed, on disk, so that several workers share them. Loaded as it came, each worker's
 * session packs the weights for its matrix kernels into memory of its own. Saved once by onnxruntime after packing,
 * and loaded from there by path, the packed weights are mapped from the file: all workers, of all processes, use the
 * same pages.
 *
 * The files are kept in the graph cache, under a key of everything that they depend on: the graph's content with its
 * weights, onnxruntime's version, the settings, the processor.
 */

import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../runtime/util/realms.ts';
import { cpuIdentity } from '../cpu-identity.ts';
import { makeRoom, PACKED_WEIGHTS } from '../model/cache-room.ts';
import { mappedRoots } from '../model/cache-roots.ts';
import { cachedFolder, fileHash, NOT_KEPT } from '../model/graph-cache.ts';
import { decodeModel, encodeModel } from '../model/onnx/onnx-proto.ts';
import { readersOf, sizeOf } from '../model/weight-copies.ts';
import { env, InferenceSession } from './onnxruntime.ts';
import { PACKED_GRAPH, PACKED_WEIGHTS_FILE, sessionSettings } from './ort-session.ts';
import { alignWeights, packingKernels } from './packed-layout.ts';

export interface PackRequest {
  /** The graph's file. */
  readonly path: string;
  /** The files with its weights, whole paths. */
  readonly weightFiles: readonly string[];
  /** Where onnxruntime finds them. Default: the graph's own folder. */
  readonly externalDataFolder?: string;
}

/** Plain data: it comes from another thread. */
export type PackedGraph =
  | { readonly packed: true; readonly path: string }
  /** `reason`: one line. The graph is then loaded as it came. */
  | { readonly packed: false; readonly reason: string };

/** Raise it when what is written changes. */
const VERSION = 1;

/** Weights and packed weights, as onnxruntime writes them and once more as they are laid out anew. */
const DISK_FACTOR = 4;

/**
 * Kernels whose packed weights were seen to give the same bits from a file as from memory (see the tests); the
 * binding has no way to tell, so a graph that packs for any other is left alone.
 */
const PROVEN_KERNELS: ReadonlySet<string> = new Set([
  'DynamicQuantizeMatMul',
  'FusedMatMul',
  'Gemm',
  'MatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'MatMulNBits',
]);

const SAVED_WEIGHTS = 'saved.weights';

/** A graph that must not be packed, and why. */
class NotPackable extends Error {}

/** Finds the packed graph or makes it. Never fails: what cannot be packed, or kept, is reported. */
export async function packedGraph(request: PackRequest): Promise<PackedGraph> {
  try {
    const sources = [request.path, ...request.weightFiles];
    const folder = await cachedFolder(mappedRoots(), {
      purpose: PACKED_WEIGHTS,
      key: await keyOf(request),
      needs: [PACKED_GRAPH, PACKED_WEIGHTS_FILE],
      readers: await readersOf(sources),
      make: async (draft) => {
        await makeRoom(dirname(draft), DISK_FACTOR * (await sizeOf(sources)));
        await makePacked(request, draft);
      },
    });
    return { packed: true, path: join(folder, PACKED_GRAPH) };
  } catch (error) {
    const text = messageOf(error).replace(/\s+/g, ' ');
    return {
      packed: false,
      reason: error instanceof NotPackable ? text : `${NOT_KEPT}: ${text}`,
    };
  }
}

async function keyOf({ path, weightFiles }: PackRequest): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([VERSION, env.versions.node, sessionSettings('', { threads: 1 }), cpuIdentity()]),
  );
  for (const file of [path, ...weightFiles]) hash.update(`\n${basename(file)} ${await fileHash(file)}`);
  return hash.digest('hex');
}

async function makePacked({ path: source, externalDataFolder }: PackRequest, folder: string): Promise<void> {
  const path = join(folder, PACKED_GRAPH);
  const saved = join(folder, SAVED_WEIGHTS);
  const from = externalDataFolder === undefined ? {} : { externalDataFolder };
  const settings = sessionSettings(source, { threads: 1, ...from });
  const session = await InferenceSession.create(source, {
    ...settings,
    optimizedModelFilePath: path,
    extra: {
      session: {
        ...settings.extra.session,
        optimized_model_external_initializers_file_name: SAVED_WEIGHTS,
        save_external_prepacked_constant_initializers: '1',
      },
    },
  });
  await session.release();
  const model = decodeModel(await readFile(path));
  const unproven = packingKernels(model).filter((kernel) => !PROVEN_KERNELS.has(kernel));
  if (unproven.length > 0) throw new NotPackable(`packed weights of ${unproven.join(', ')} are not shared`);
  await alignWeights(model, saved, join(folder, PACKED_WEIGHTS_FILE), PACKED_WEIGHTS_FILE);
  await writeFile(path, encodeModel(model));
  await rm(saved);
}
