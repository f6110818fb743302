/** Opens a model directory without work on the caller's thread, and refuses one that the mode cannot run. */
import { ModelError } from '../../actors/errors.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import type { GraphRewriters, ModelDirectory } from '../../actors/model/model-directory.ts';
import type { PromptProducts } from '../../actors/model/prompt-products.ts';
import type { TokensToFind } from '../../actors/model/token-ids.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import type { Mode } from '../chat-types.ts';
import { assertCanStart } from '../start-checks.ts';
import { GraphPool } from './graph-pool.ts';

/** Which model, and how it is opened. */
export interface ModelChoice {
  /** The model directory. */
  readonly model: string;
  readonly dtype: Dtype | undefined;
  readonly promptTemplate: string | undefined;
  /** Default: as the file has them. */
  readonly promptProducts?: PromptProducts;
  /** False: the graphs stay as they are, for their weights are not there. Default true. */
  readonly rewrites?: boolean;
}

/** @throws ModelError when the directory cannot be used at all; InputError PROMPT_TEMPLATE_INVALID */
export async function openModel({
  model,
  dtype,
  promptTemplate,
  promptProducts,
  rewrites = true,
}: ModelChoice): Promise<ModelDirectory> {
  assertCanStart();
  const pool = await GraphPool.open();
  try {
    const readSignature = (file: string) => pool.run('readSignature', file);
    const findTokens = (tokens: TokensToFind) => pool.run('findTokens', tokens);
    const rewrite: GraphRewriters = {
      decoder: (graph) => pool.run('rewriteDecoder', graph),
      vision: (graph) => pool.run('rewriteVision', graph),
      prompts: (graph) => pool.run('rewritePrompts', graph),
    };
    const chosen = dtype === undefined ? {} : { dtype };
    const options = { readSignature, findTokens, promptTemplate, promptProducts, ...chosen };
    return await openModelDirectory(model, { ...options, ...(rewrites && { rewrite }) });
  } finally {
    await pool.close();
  }
}

/** @throws ModelError also when this mode cannot run the model */
export async function loadModel(config: ModelChoice & { readonly mode: Mode }): Promise<ModelDirectory> {
  const directory = await openModel(config);
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
