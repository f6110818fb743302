/** A model's graphs for a decoder that runs on WebGPU. */

import { TroupeError } from '../../../runtime/errors.ts';
import { isErrorNamed } from '../../../runtime/util/realms.ts';
import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import { loadGraph } from '../../inference/load-graph.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
import { type WebGpuDecoderRewrite, webGpuDecoder } from '../../model/rewrite/webgpu-decoder.ts';
import { GpuKvCache } from '../kv-cache/gpu/gpu-kv-cache.ts';
import { promptTokensPerRun } from '../kv-cache/gpu/gpu-prompt-check.ts';
import { GROUP_QUERY_LAYOUT } from '../kv-cache/kv-layout.ts';
import { kvPorts } from '../kv-cache/kv-signature.ts';
import { PrefixCache } from '../prefix-cache/prefix-cache.ts';
import { Decoder } from './decoder.ts';
import { GpuImageMerge } from './gpu-image-merge.ts';
import { GpuLogits } from './gpu-logits.ts';
import {
  budgetOf,
  type LoadGraphsOptions,
  layoutOf,
  loadEmbedding,
  seesAheadOf,
  unknownKind,
} from './graph-parts.ts';
import { checkLogits } from './logits.ts';
import type { ModelRunnerParts } from './model-runner-parts.ts';
import { gpuPromptRuns } from './prefill-pacer.ts';
import { promptTrial, trialToken } from './prompt-trial.ts';
import { TokenEmbedder } from './token-embedder.ts';

/**
 * The decoder as `webgpu-decoder.ts` writes it, its keys and values and the merge of images on the GPU. The decoder for the CPU is of
 * so many small operators that it is several times as slow there. Token embeddings are looked up on the CPU, where they are
 * remembered. There is no prefix cache: it copies keys and values on the host.
 */
export async function loadOnGpu(
  directory: ModelDirectory,
  options: LoadGraphsOptions,
  gpu: GpuMemory,
): Promise<ModelRunnerParts> {
  const { path: modelPath, graphs, geometry } = directory;
  const { path } = graphs.decoder;
  const rewrite = await webGpuDecoder({ modelPath, path, vocabulary: geometry.vocabSize });
  if (!rewrite.rewritten) return await loadParts(directory, options, gpu);
  try {
    return await loadParts(directory, options, gpu, rewrite);
  } catch (error) {
    if (TroupeError.is(error) && error.code.startsWith('GPU_')) throw error;
    // A driver, or an export, that cannot do what the rewritten graph needs. What the file itself lacks is said then.
    return await loadParts(directory, options, gpu);
  }
}

/** @param rewrite how the decoder was rewritten. Default: it runs as it came */
async function loadParts(
  directory: ModelDirectory,
  options: LoadGraphsOptions,
  gpu: GpuMemory,
  rewrite?: WebGpuDecoderRewrite & { readonly rewritten: true },
): Promise<ModelRunnerParts> {
  const { graphs, geometry } = directory;
  const { rewrite: _, ...asItCame } = graphs.decoder;
  const { path, signature } = asItCame;
  const { imageTokenId } = geometry;
  const loaded: { release(): Promise<void> }[] = [];
  const kept = <T extends { release(): Promise<void> }>(part: T): T => {
    loaded.push(part);
    return part;
  };
  try {
    const outputs = signature.outputs.map(({ name }) => name).filter((name) => name !== 'logits');
    const [graph, staysOnGpu] =
      rewrite === undefined ? [asItCame, outputs] : [{ ...asItCame, rewrite }, rewrite.staysOnGpu];
    const session = kept(await loadGraph(graph, { threads: options.threads, gpu, staysOnGpu }));
    checkLogits(session.outputs.get('logits'));
    const logits = session.outputs.get('logits');
    const decoder = new Decoder(session, rewrite && kept(await GpuLogits.load(logits, gpu)));
    const ports = kvPorts(session, geometry);
    const budget = budgetOf(ports, geometry.contextLength, options);
    const grouped = layoutOf(signature.opTypes) === GROUP_QUERY_LAYOUT;
    const cache = kept(await GpuKvCache.load(ports, grouped, gpu));
    const prefixes = new PrefixCache(0);
    const embedder = decoder.takesEmbeds
      ? new TokenEmbedder(kept(await loadEmbedding(directory)), geometry.hiddenSize)
      : undefined;
    const merge = embedder && kept(await GpuImageMerge.load(geometry.hiddenSize, gpu));
    const tried = { decoder, embedder, cache, ...geometry };
    if (rewrite !== undefined) {
      const [chosen, found] = [await trialToken(tried, false), await trialToken(tried, true)];
      if (chosen !== found) throw new TypeError('the graph chooses another token than its logits');
    }
    if (grouped) {
      cache.allowPerRun(await promptTokensPerRun(promptTrial(tried), geometry.contextLength));
      gpu.noteTried(cache.mostTokensPerRun);
    }
    const promptRuns = gpuPromptRuns(cache.mostTokensPerRun);
    const parts = { decoder, embedder, cache, budget, prefixes, promptRuns };
    return { ...parts, gpu, merge, imageTokenId, seesAhead: seesAheadOf(directory, session) };
  } catch (error) {
    await Promise.all(loaded.map((part) => part.release()));
    throw isErrorNamed(error, 'TypeError') ? unknownKind(path, error) : error;
  }
}
