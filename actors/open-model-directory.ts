/**
 * A model directory in the Hub's layout, opened: every file that serving needs was found, parsed and checked, so
 * that a broken model is refused at start, by name, and not by a native library in the middle of a request. The
 * result is plain data; actors get it as a spawn argument and load graphs and tokenizer from the paths in it.
 *
 *     config.json  generation_config.json  preprocessor_config.json  processor_config.json
 *     tokenizer.json  tokenizer_config.json  chat_template.jinja | chat_template.json
 *     onnx/{vision_encoder,embed_tokens,decoder_model_merged}{suffix}.onnx   (+ external data)
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { InputError, ModelError } from './errors.ts';
import type { ModelFamily } from './families/family.ts';
import { ModelSource, type ModelSourceParts } from './families/model-source.ts';
import { promptTemplateToJinja } from './families/prompt-template.ts';
import { findFamily } from './families/registry.ts';
import { type FileStamp, stampOf } from './model/file-stamps.ts';
import { NOT_KEPT } from './model/graph-cache.ts';
import {
  checkExternalData,
  findGraph,
  type GraphFile,
  type GraphRole,
  listGraphFolder,
  requiredGraph,
} from './model/graph-files.ts';
import {
  chatTemplateSchema,
  type GenerationConfig,
  generationConfigSchema,
  modelTypeSchema,
  processorConfigSchema,
  type TokenizerConfig,
  tokenizerConfigSchema,
} from './model/model-config.ts';
import type {
  Encoding,
  GraphRewriters,
  ModelDirectory,
  ModelGraphs,
  OpenModelOptions,
  VisionFile,
} from './model/model-directory.ts';
import {
  missingFile,
  readJson,
  readOptionalJson,
  readOptionalText,
  refuseSpecialFile,
} from './model/model-files.ts';
import { type GraphSignature, readGraphSignature } from './model/onnx/graph-signature.ts';
import type { DecoderToRewrite } from './model/rewrite/rewritten-decoder.ts';
import type { PromptsRewrite } from './model/rewrite/rewritten-prompts.ts';
import { quantizesAsItRuns } from './model/rewrite/row-quantization.ts';
import { readTokenIds } from './model/token-ids.ts';

/**
 * @throws ModelError MODEL_NOT_FOUND, MODEL_FILE_MISSING, MODEL_FILE_CORRUPT, MODEL_UNSUPPORTED,
 *   MODEL_DTYPE_MISSING
 * @throws InputError INVALID_OPTION where prompts cannot have the products that are asked for
 */
export async function openModelDirectory(
  path: string,
  options: OpenModelOptions = {},
): Promise<ModelDirectory> {
  const directory = resolve(path);
  const { findTokens = readTokenIds } = options;
  await checkIsDirectory(directory);
  const config = await readJson(join(directory, 'config.json'), modelTypeSchema);
  const family = findFamily(config.model_type, directory);
  const processor =
    (await readOptionalJson(join(directory, 'processor_config.json'), processorConfigSchema)) ?? {};
  const tokenizerConfig =
    (await readOptionalJson(join(directory, 'tokenizer_config.json'), tokenizerConfigSchema)) ?? {};
  const generationConfig =
    (await readOptionalJson(join(directory, 'generation_config.json'), generationConfigSchema)) ?? {};
  const tokenizerPath = join(directory, 'tokenizer.json');
  if (!(await isFile(tokenizerPath))) throw missingFile(tokenizerPath);
  const stamps = [await stampOf(tokenizerPath)];
  const preprocessor = await readPreprocessor(directory, processor.image_processor);
  const named = namedTokens(family, generationConfig, tokenizerConfig);
  const [{ graphs, encoding }, tokenIds] = await Promise.all([
    openGraphs(directory, stamps, options),
    named.length === 0 ? {} : findTokens({ path: tokenizerPath, names: named }),
  ]);
  const eosToken = tokenizerConfig.eos_token;
  const source = {
    ...{ path: directory, graphs, generationConfig, config, preprocessor, processor },
    ...{ tokenIds, eosToken },
  };
  const { geometry, settings } = family.read(new ModelSource(source));
  const { placeholder } = family.images(settings);
  const chatTemplate = await readTemplate(
    directory,
    tokenizerConfig,
    options.promptTemplate,
    family,
    placeholder,
  );
  const { heads, kvHeads, headDim } = geometry;
  const shape = { heads, kvHeads, headDim };
  return {
    path: directory,
    modelType: config.model_type,
    encoding,
    graphs:
      options.rewrite === undefined
        ? graphs
        : await rewriteGraphs(
            graphs,
            { modelPath: directory, shape },
            { ...options, rewrite: options.rewrite },
          ),
    geometry,
    settings,
    generationConfig,
    tokenizerConfig,
    tokenizerPath,
    chatTemplate,
    stamps,
  };
}

/** Tokens that the family asks for by name, and the one that ends answers where no configuration says its id. */
function namedTokens(
  { tokens = [] }: ModelFamily,
  generation: GenerationConfig,
  { eos_token: eos }: TokenizerConfig,
): readonly string[] {
  return generation.eos_token_id == null && eos != null ? [...tokens, eos] : tokens;
}

async function rewriteGraphs(
  graphs: ModelGraphs,
  { modelPath, shape }: Omit<DecoderToRewrite, 'path'>,
  {
    rewrite: rewriters,
    promptProducts,
    readSignature = readGraphSignature,
  }: OpenModelOptions & { readonly rewrite: GraphRewriters },
): Promise<ModelGraphs> {
  const { vision, decoder } = graphs;
  const rewriteOf = async (file: VisionFile): Promise<VisionFile> =>
    quantizesAsItRuns(file.signature)
      ? { ...file, rewrite: await rewriters.vision({ modelPath, path: file.path }) }
      : file;
  const toRewrite = { modelPath, path: decoder.path, shape };
  const [rewrite, seen, prompts] = await Promise.all([
    rewriters.decoder(toRewrite),
    vision && rewriteOf(vision),
    promptProducts === '8-bit' ? rewriters.prompts(toRewrite) : undefined,
  ]);
  return {
    ...graphs,
    ...(seen && { vision: seen }),
    decoder: { ...decoder, rewrite },
    ...(prompts && { prompts: await promptsFile(decoder, prompts, readSignature) }),
  };
}

const TO_KEEP = 'Leave it out, or let TROUPE_CACHE_DIR name a folder that can be written';
const TO_LOAD = "Leave it out, or load a decoder that has them, with dtype 'q4'";

async function promptsFile(
  { dtype }: GraphFile,
  made: PromptsRewrite,
  readSignature: (path: string) => Promise<GraphSignature>,
): Promise<GraphFile> {
  if (made.rewritten) return { path: made.path, dtype, signature: await readSignature(made.path) };
  throw new InputError('INVALID_OPTION', `prompts of this model cannot be run so: ${made.reason}`, {
    field: 'pd.promptProducts',
    value: '8-bit',
    remedy: made.reason.startsWith(NOT_KEPT) ? TO_KEEP : TO_LOAD,
  });
}

async function checkIsDirectory(path: string): Promise<void> {
  const isDirectory = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isDirectory) return;
  const remedy = 'Give the path of a model directory with config.json and onnx/ in it.';
  throw new ModelError('MODEL_NOT_FOUND', 'There is no model directory', { path, remedy });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** From its own file or, in newer exports, from inside `processor_config.json`. */
async function readPreprocessor(path: string, inside: unknown): Promise<ModelSourceParts['preprocessor']> {
  const file = join(path, 'preprocessor_config.json');
  const own = await readOptionalJson(file, z.looseObject({}));
  if (own !== null) return { file, value: own };
  return inside == null ? null : { file: join(path, 'processor_config.json'), value: inside };
}

/** @throws ModelError MODEL_FILE_MISSING when there is none, and the family has no default; InputError for a wrong one */
async function readTemplate(
  path: string,
  tokenizer: TokenizerConfig,
  asked: string | undefined,
  family: ModelFamily,
  placeholder: string,
): Promise<string> {
  if (asked !== undefined) return promptTemplateToJinja(asked, placeholder);
  const own = await readChatTemplate(path, tokenizer);
  if (own !== null) return own;
  if (family.promptTemplate !== undefined) return promptTemplateToJinja(family.promptTemplate, placeholder);
  const remedy =
    'Add chat_template.jinja, chat_template.json or chat_template in tokenizer_config.json, or give a prompt template.';
  throw new ModelError('MODEL_FILE_MISSING', 'The model has no chat template', { path, remedy });
}

async function readChatTemplate(path: string, tokenizer: TokenizerConfig): Promise<string | null> {
  const jinja = await readOptionalText(join(path, 'chat_template.jinja'));
  if (jinja !== null) return jinja;
  const json = await readOptionalJson(join(path, 'chat_template.json'), chatTemplateSchema);
  if (json !== null) return json.chat_template;
  const own = tokenizer.chat_template;
  if (typeof own === 'string') return own;
  return own?.find(({ name }) => name === 'default')?.template ?? null;
}

async function openGraphs(
  path: string,
  stamps: FileStamp[],
  { dtype, readSignature = readGraphSignature }: OpenModelOptions,
): Promise<{ graphs: ModelGraphs; encoding: Encoding }> {
  const folder = join(path, 'onnx');
  const names = await listGraphFolder(folder);
  const open = async (role: GraphRole): Promise<GraphFile | null> => {
    const found = findGraph(folder, names, role, dtype);
    if (found === null) return null;
    await refuseSpecialFile(found.path);
    stamps.push(await stampOf(found.path));
    const signature = await readSignature(found.path);
    await checkExternalData(found.path, signature.externalData);
    for (const { location } of signature.externalData) stamps.push(await stampOf(join(folder, location)));
    return { ...found, signature };
  };
  const [vision, embed, decoder] = await Promise.all([open('vision'), open('embed'), open('decoder')]);
  if (decoder === null) throw requiredGraph(folder, 'decoder');
  const inputs = new Set(decoder.signature.inputs.map(({ name }) => name));
  if (vision === null && inputs.has('pixel_values')) {
    if (embed === null && !inputs.has('input_ids')) throw requiredGraph(folder, 'embed');
    return { encoding: 'integrated', graphs: embed === null ? { decoder } : { embed, decoder } };
  }
  if (vision === null) throw requiredGraph(folder, 'vision');
  if (embed === null) throw requiredGraph(folder, 'embed');
  return { encoding: 'separate', graphs: { vision, embed, decoder } };
}
