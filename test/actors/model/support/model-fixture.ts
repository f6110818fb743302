/** Model directories made for a test: the pilot model's small files around graphs of a few bytes. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeModel } from '../../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel, OnnxTensor, OnnxValueInfo } from '../../../../actors/model/onnx/onnx-types.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';

const SMALL_FILES = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

export type Dims = readonly (number | string)[];

/** A float32 value of a graph. */
export function value(name: string, dims: Dims): OnnxValueInfo {
  const dim = dims.map((one) => (typeof one === 'number' ? { dimValue: one } : { dimParam: one }));
  return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
}

/** A graph that has inputs, one output and weights, and computes nothing. */
export function graph(inputs: Readonly<Record<string, Dims>>, initializer: OnnxTensor[] = []): OnnxModel {
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'fixture',
      input: Object.entries(inputs).map(([name, dims]) => value(name, dims)),
      output: [value('out', ['n'])],
      initializer,
      node: [{ opType: 'Identity', input: ['x'], output: ['out'] }],
    },
  };
}

/** The cache inputs that the pilot model's configuration asks for. */
export function cacheInputs(layers = 4, heads = 2, width = 32): Record<string, Dims> {
  const inputs: Record<string, Dims> = {};
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ['key', 'value']) {
      inputs[`past_key_values.${layer}.${part}`] = ['batch', heads, 'past', width];
    }
  }
  return inputs;
}

export const decoderGraph = (): OnnxModel => graph({ inputs_embeds: ['b', 's', 128], ...cacheInputs() });
export const visionGraph = (): OnnxModel => graph({ pixel_values: ['b', 'n', 3, 80, 80] });
export const embedGraph = (): OnnxModel => graph({ input_ids: ['b', 's'] });

/** The three graphs of a model with a vision encoder of its own, by file name. */
export function separateGraphs(): Record<string, OnnxModel> {
  return {
    'vision_encoder.onnx': visionGraph(),
    'embed_tokens.onnx': embedGraph(),
    'decoder_model_merged.onnx': decoderGraph(),
  };
}

/** Writes a model directory that is removed when the test ends. @param graphs by file name in `onnx/` */
export async function modelFixture(
  t: TestContext,
  graphs: Readonly<Record<string, OnnxModel>>,
): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-model-'));
  t.after(() => rm(path, { recursive: true }));
  await mkdir(join(path, 'onnx'));
  for (const name of SMALL_FILES) await cp(join(PILOT_MODEL, name), join(path, name));
  for (const [name, model] of Object.entries(graphs))
    await writeFile(join(path, 'onnx', name), encodeModel(model));
  return path;
}

/** A predicate for `assert.rejects` and `assert.throws`: the error has this code and is one line. */
export function code(expected: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof Error && 'code' in error && error.code === expected && !error.message.includes('\n');
}
