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
import { ModelError } from '../errors.ts';
import { findFamily } from './families/registry.ts';
import { type FileStamp, stampOf } from './file-stamps.ts';
import type { ModelGeometry } from './geometry.ts';
import {
  checkExternalData,
  type DtypeChoice,
  findGraph,
  type GraphFile,
  type GraphRole,
  listGraphFolder,
  requiredGraph,
} from './graph-files.ts';
import {
  chatTemplateSchema,
  type GenerationConfig,
  generationConfigSchema,
  type ModelConfig,
  modelConfigSchema,
  type PreprocessorConfig,
  type ProcessorConfig,
  preprocessorConfigSchema,
  processorConfigSchema,
  type TokenizerConfig,
  tokenizerConfigSchema,
} from './model-config.ts';
import {
  checkJson,
  missingFile,
  readJson,
  readOptionalJson,
  readOptionalText,
  refuseSpecialFile,
} from './model-files.ts';
import { type GraphSignature, readGraphSignature } from './onnx/graph-signature.ts';
import type { DecoderRewrite, DecoderToRewrite } from './rewrite/rewritten-decoder.ts';
import type { GraphToRewrite } from './rewrite/rewritten-graph.ts';
import type { VisionRewrite } from './rewrite/rewritten-vision.ts';
import { quantizesAsItRuns } from './rewrite/row-quantization.ts';

export type { GraphFile } from './graph-files.ts';

/** Where images become embeddings: in a graph of their own, or inside the decoder's graph. */
export type Encoding = 'separate' | 'integrated';

export interface ModelGraphs {
  /** `pixel_values` → `image_features`; absent with integrated encoding. */
  readonly vision?: VisionFile;
  /** `input_ids` → `inputs_embeds`; may be absent with integrated encoding. */
  readonly embed?: GraphFile;
  readonly decoder: DecoderFile;
}

/** A graph that may be run in another form than its file's. */
export interface RewritableGraph<Rewrite = VisionRewrite> extends GraphFile {
  /** What it was rewritten to, or why it was not; absent when nobody tried. It then runs as it is. */
  readonly rewrite?: Rewrite;
}

export type VisionFile = RewritableGraph<VisionRewrite>;
export type DecoderFile = RewritableGraph<DecoderRewrite>;

/** How graphs are rewritten. */
export interface GraphRewriters {
  decoder(graph: DecoderToRewrite): Promise<DecoderRewrite>;
  vision(graph: GraphToRewrite): Promise<VisionRewrite>;
}

export interface ModelDirectory {
  /** Absolute. */
  readonly path: string;
  readonly modelType: string;
  readonly encoding: Encoding;
  readonly graphs: ModelGraphs;
  readonly geometry: ModelGeometry;
  readonly config: ModelConfig;
  readonly generationConfig: GenerationConfig;
  readonly preprocessorConfig: PreprocessorConfig;
  readonly processorConfig: ProcessorConfig;
  readonly tokenizerConfig: TokenizerConfig;
  /** Path of `tokenizer.json`, read where it is used: it can be large. */
  readonly tokenizerPath: string;
  /** Source of the Jinja template, null when the model has none. */
  readonly chatTemplate: string | null;
  /** What the files were that actors read, when they were opened. */
  readonly stamps: readonly FileStamp[];
}

export interface OpenModelOptions {
  /** Precision of the graphs. Default: for each graph the first present of fp32, q4, q8, int8, uint8, fp16, q4f16, bnb4. */
  readonly dtype?: DtypeChoice;
  /** How a graph file is read, to do it in another thread. Default: in this one. */
  readonly readSignature?: (path: string) => Promise<GraphSignature>;
  /** How graphs are rewritten, to do it in another thread. Default: they are not. */
  readonly rewrite?: GraphRewriters;
}

/**
 * @throws ModelError MODEL_NOT_FOUND, MODEL_FILE_MISSING, MODEL_FILE_CORRUPT, MODEL_UNSUPPORTED,
 *   MODEL_DTYPE_MISSING
 */
export async function openModelDirectory(
  path: string,
  options: OpenModelOptions = {},
): Promise<ModelDirectory> {
  const directory = resolve(path);
  await checkIsDirectory(directory);
  const config = await readJson(join(directory, 'config.json'), modelConfigSchema);
  const family = findFamily(config.model_type, directory);
  const processorConfig =
    (await readOptionalJson(join(directory, 'processor_config.json'), processorConfigSchema)) ?? {};
  const tokenizerConfig =
    (await readOptionalJson(join(directory, 'tokenizer_config.json'), tokenizerConfigSchema)) ?? {};
  const generationConfig =
    (await readOptionalJson(join(directory, 'generation_config.json'), generationConfigSchema)) ?? {};
  const tokenizerPath = join(directory, 'tokenizer.json');
  if (!(await isFile(tokenizerPath))) throw missingFile(tokenizerPath);
  const stamps = [await stampOf(tokenizerPath)];
  const preprocessorConfig = await readPreprocessorConfig(directory, processorConfig);
  const chatTemplate = await readChatTemplate(directory, tokenizerConfig);

  const { graphs, encoding } = await openGraphs(directory, stamps, options);
  const facts = { path: directory, config, generationConfig, preprocessorConfig, processorConfig, graphs };
  const geometry = family.geometry(facts);
  const shape = {
    heads: config.text_config.num_attention_heads,
    kvHeads: geometry.kvHeads,
    headDim: geometry.headDim,
  };
  return {
    path: directory,
    modelType: config.model_type,
    encoding,
    graphs:
      options.rewrite === undefined
        ? graphs
        : await rewriteGraphs(graphs, { modelPath: directory, shape }, options.rewrite),
    geometry,
    config,
    generationConfig,
    preprocessorConfig,
    processorConfig,
    tokenizerConfig,
    tokenizerPath,
    chatTemplate,
    stamps,
  };
}

async function rewriteGraphs(
  graphs: ModelGraphs,
  { modelPath, shape }: Omit<DecoderToRewrite, 'path'>,
  rewriters: GraphRewriters,
): Promise<ModelGraphs> {
  const { vision, decoder } = graphs;
  const rewriteOf = async (file: VisionFile): Promise<VisionFile> =>
    quantizesAsItRuns(file.signature)
      ? { ...file, rewrite: await rewriters.vision({ modelPath, path: file.path }) }
      : file;
  const [rewrite, seen] = await Promise.all([
    rewriters.decoder({ modelPath, path: decoder.path, shape }),
    vision && rewriteOf(vision),
  ]);
  return { ...graphs, ...(seen && { vision: seen }), decoder: { ...decoder, rewrite } };
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
async function readPreprocessorConfig(path: string, processor: ProcessorConfig): Promise<PreprocessorConfig> {
  const file = join(path, 'preprocessor_config.json');
  const own = await readOptionalJson(file, preprocessorConfigSchema);
  if (own !== null) return own;
  if (processor.image_processor == null) throw missingFile(file);
  return checkJson(processor.image_processor, preprocessorConfigSchema, join(path, 'processor_config.json'));
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
