/** Opens a model directory without work on the caller's thread, and refuses one that the mode cannot run. */
import { ModelError } from '../../actors/errors.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import type { GraphRewriters, ModelDirectory } from '../../actors/model/model-directory.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import type { Mode } from '../chat-types.ts';
import { assertCanStart } from '../start-checks.ts';
import { GraphPool } from './graph-pool.ts';

/**
 * @param rewrites false: the graphs stay as they are, for their weights are not there
 * @throws ModelError when the directory cannot be used at all
 */
export async function openModel(
  path: string,
  dtype: Dtype | undefined,
  rewrites = true,
): Promise<ModelDirectory> {
  assertCanStart();
  const pool = await GraphPool.open();
  try {
    const readSignature = (file: string) => pool.run('readSignature', file);
    const rewrite: GraphRewriters = {
      decoder: (graph) => pool.run('rewriteDecoder', graph),
      vision: (graph) => pool.run('rewriteVision', graph),
    };
    const chosen = dtype === undefined ? {} : { dtype };
    return await openModelDirectory(path, { readSignature, ...(rewrites && { rewrite }), ...chosen });
  } finally {
    await pool.close();
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
