/** Model directories with the configuration of a Qwen-VL model, around graphs that compute nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ModelDirectory } from '../../../../../actors/model/model-directory.ts';
import type { OnnxModel } from '../../../../../actors/model/onnx/onnx-types.ts';
import { openModelDirectory } from '../../../../../actors/open-model-directory.ts';
import { cacheInputs, type Dims, graph, modelFixture, value } from '../../../model/support/model-fixture.ts';

/** The numbers that graphs are made by. */
export interface Numbers {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hidden: number;
  /** Side of a patch, pixels. */
  readonly patch: number;
}

export interface Changes {
  /** Inputs of the graph in the place of, or beside, those that it has; null takes one away. */
  readonly decoder?: Readonly<Record<string, Dims | null>>;
  readonly vision?: Readonly<Record<string, Dims | null>>;
  /** Further outputs of the vision graph. */
  readonly made?: Readonly<Record<string, Dims>>;
}

function qwenGraphs(
  { layers, kvHeads, headDim, hidden, patch }: Numbers,
  { decoder = {}, vision = {}, made = {} }: Changes,
): Record<string, OnnxModel> {
  const inputs = {
    inputs_embeds: ['b', 's', hidden],
    position_ids: [3, 'b', 's'],
    ...cacheInputs(layers, kvHeads, headDim),
    ...decoder,
  };
  const seen = { pixel_values: ['n', 6 * patch ** 2], image_grid_thw: ['i', 3], ...vision };
  const features = { image_features: ['t', hidden], ...made };
  return {
    'decoder_model_merged.onnx': withOutputs(graph(present(inputs)), { logits: ['b', 's', 'v'] }),
    'embed_tokens.onnx': withOutputs(graph({ input_ids: ['b', 's'] }), { inputs_embeds: ['b', 's', hidden] }),
    'vision_encoder.onnx': withOutputs(graph(present(seen)), features),
  };
}

function present(inputs: Readonly<Record<string, Dims | null>>): Record<string, Dims> {
  const kept: Record<string, Dims> = {};
  for (const [name, dims] of Object.entries(inputs)) if (dims !== null) kept[name] = dims;
  return kept;
}

function withOutputs(model: OnnxModel, outputs: Readonly<Record<string, Dims>>): OnnxModel {
  const output = Object.entries(outputs).map(([name, dims]) => value(name, dims));
  return { ...model, graph: { ...model.graph, output } };
}

export interface QwenModel {
  readonly numbers: Numbers;
  /** config.json */
  readonly config: object;
  /** preprocessor_config.json */
  readonly preprocessor: object;
}

/** Opens such a model; its directory is removed when the test ends. */
export async function openQwen(
  t: TestContext,
  { numbers, config, preprocessor }: QwenModel,
  changes: Changes = {},
): Promise<ModelDirectory> {
  const path = await modelFixture(t, qwenGraphs(numbers, changes));
  const files = {
    'config.json': config,
    'preprocessor_config.json': preprocessor,
    'generation_config.json': { eos_token_id: [151_645, 151_643] },
    'processor_config.json': {},
    'tokenizer_config.json': { chat_template: '{{ messages }}' },
  };
  for (const [name, json] of Object.entries(files)) await writeFile(join(path, name), JSON.stringify(json));
  return await openModelDirectory(path);
}
