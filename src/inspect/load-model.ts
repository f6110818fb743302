/** Opens a model directory without work on the caller's thread, and refuses one that the mode cannot run. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { ModelError } from '../../actors/errors.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import {
  type GraphRewriters,
  type ModelDirectory,
  openModelDirectory,
} from '../../actors/model/model-directory.ts';
import type { GraphSignature } from '../../actors/model/onnx/graph-signature.ts';
import { extensionOf } from '../../runtime/blueprint.ts';
import { unwrap } from '../../runtime/thread/thread-control.ts';
import type { Mode } from '../chat-types.ts';
import { assertCanStart, threadFailed } from '../start-checks.ts';

const WORKER = new URL(`./graph-worker${extensionOf(import.meta.url)}`, import.meta.url);
/** Vision, embedding, decoder. */
const GRAPHS = 3;

/** @throws ModelError when the directory cannot be used at all */
export async function openModel(path: string, dtype: Dtype | undefined): Promise<ModelDirectory> {
  assertCanStart();
  const pool = new Piscina({
    filename: WORKER.href,
    minThreads: 0,
    maxThreads: Math.min(GRAPHS, availableParallelism()),
  });
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // who awaits it is below
  pool.on('error', (error) => broken.reject(threadFailed(error)));
  try {
    const readSignature = async (file: string): Promise<GraphSignature> =>
      unwrap(await pool.run(file, { name: 'readSignature' }));
    const rewrite: GraphRewriters = {
      decoder: async (graph) => unwrap(await pool.run(graph, { name: 'rewriteDecoder' })),
      vision: async (graph) => unwrap(await pool.run(graph, { name: 'rewriteVision' })),
    };
    const chosen = dtype === undefined ? {} : { dtype };
    return await Promise.race([
      openModelDirectory(path, { readSignature, rewrite, ...chosen }),
      broken.promise,
    ]);
  } finally {
    await pool.destroy();
  }
}

/** @throws ModelError also when this mode cannot run the model */
export async function loadModel(config: {
  readonly model: string;
  readonly dtype: Dtype | undefined;
  readonly mode: Mode;
}): Promise<ModelDirectory> {
  const directory = await openModel(config.model, config.dtype);
  const obstacle = obstacleTo(config.mode, directory);
  if (obstacle !== undefined) throw obstacle;
  return directory;
}

/** Why a mode cannot run a model, if it cannot. */
export function obstacleTo(mode: Mode, directory: ModelDirectory): ModelError | undefined {
  if (mode === 'aggregated' || directory.encoding === 'separate') return undefined;
  return new ModelError(
    'MODE_NEEDS_SEPARATE_ENCODER',
    'Disaggregated mode cannot run this model: its decoder graph takes pixel_values and encodes images itself, so there is no vision graph for an encoder to run',
    { path: directory.path, remedy: 'Run it in aggregated mode' },
  );
}
