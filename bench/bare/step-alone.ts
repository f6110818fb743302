/** One decode step of one row over a past that stays as it is: `session.run` on a decoder's graph, and nothing around it. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelGeometry } from '../../actors/model/geometry.ts';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { keepSteps } from '../../actors/model/rewrite/steps-alone.ts';
import { cacheNames } from './bare-cache.ts';
import { type BareGraph, openBareSession } from './bare-session.ts';
import type { BareStep } from './products-alone.ts';

/** The graph of steps of a packed decoder, as the engine makes it; undefined where there is none. */
export async function stepsGraphOf(packed: BareGraph): Promise<BareGraph | undefined> {
  const { path } = packed;
  const model = decodeModel(await readFile(path));
  if (!keepSteps(model)) return undefined;
  return { ...packed, externalDataFolder: dirname(path), made: encodeModel(model) };
}

/** @param tokens of the past, none of them masked */
export async function openStepAlone(
  graph: BareGraph,
  geometry: ModelGeometry,
  tokens: number,
  threads: number,
): Promise<BareStep> {
  const session = await openBareSession(graph, threads);
  const { kvHeads, headDim, hiddenSize } = geometry;
  const floats = (dims: readonly number[]) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return new Tensor(
      'float32',
      Float32Array.from({ length: size }, (_, at) => Math.sin(at)),
      dims,
    );
  };
  const all: Record<string, Tensor> = {
    inputs_embeds: floats([1, 1, hiddenSize]),
    attention_mask: new Tensor('int64', new BigInt64Array(tokens + 1).fill(1n), [1, tokens + 1]),
    position_ids: new Tensor('int64', BigInt64Array.of(BigInt(tokens)), [1, 1]),
    num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
  };
  for (const name of cacheNames(geometry)) {
    all[`past_key_values.${name}`] = floats([1, kvHeads, tokens, headDim]);
  }
  const { inputNames, outputNames } = session;
  const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => inputNames.includes(name)));
  const fetches = outputNames.filter((name) => name !== 'logits');
  return {
    count: geometry.layers,
    run: () => session.run(feeds, fetches),
    release: () => session.release(),
  };
}
