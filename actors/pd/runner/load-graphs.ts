/**
 * From a model directory to the parts of a `ModelRunner`: which graphs are loaded, and which KV cache fits the
 * decoder's kind of export.
 */

import { isErrorNamed } from '../../../runtime/util/realms.ts';
import { ModelError } from '../../errors.ts';
import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import type { GraphSession } from '../../inference/graph-session.ts';
import { loadGraph } from '../../inference/load-graph.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import { receivedTensors } from '../../inference/sent-tensors.ts';
import type { WideRuns } from '../../inference/wide-runs.ts';
import type { SeesAhead } from '../../model/geometry.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
import type { PrefillHelp } from '../../protocols.ts';
import { GpuKvCache } from '../kv-cache/gpu/gpu-kv-cache.ts';
import { promptTokensPerRun } from '../kv-cache/gpu/gpu-prompt-check.ts';
import { KvBudget } from '../kv-cache/kv-budget.ts';
import { capacityFor } from '../kv-cache/kv-capacity.ts';
import { CONCAT_LAYOUT, GROUP_QUERY_LAYOUT, type KvLayout } from '../kv-cache/kv-layout.ts';
import { bytesPerToken, type KvPort, kvPorts } from '../kv-cache/kv-signature.ts';
import { PlainKvCache } from '../kv-cache/plain-kv-cache.ts';
import { SlotKvCache } from '../kv-cache/slot-kv-cache.ts';
import { PrefixCache, type PrefixListener } from '../prefix-cache/prefix-cache.ts';
import { Decoder } from './decoder.ts';
import { GpuImageMerge } from './gpu-image-merge.ts';
import { checkLogits } from './logits.ts';
import type { ModelRunnerParts } from './model-runner.ts';
import { Predictions } from './predictions.ts';
import { gpuPromptRuns } from './prefill-pacer.ts';
import { promptTrial, tryDecoder } from './prompt-trial.ts';
import type { PromptHelp } from './remote-prefill.ts';
import { TokenEmbedder } from './token-embedder.ts';

export interface LoadGraphsOptions {
  /** Threads of one graph operator, the calling thread included; ≥ 1. */
  readonly threads: number;
  /** Memory for keys and values of sequences, bytes. Default: as much as `maxRunning` sequences can need. */
  readonly kvCacheBytes?: number;
  /** Memory for keys and values of prompts that may come again, bytes. Default 64 MiB; 0 keeps none. */
  readonly prefixCacheBytes?: number;
  /** Most sequences at once. */
  readonly maxRunning: number;
  /** Told of what the prefix cache has. */
  readonly prefixListener?: PrefixListener | undefined;
  /** More threads for prompts, at times; used on the CPU. */
  readonly wide?: WideRuns | undefined;
  /** Runs the decoder there; released with the model. Default: on the CPU. */
  readonly gpu?: GpuMemory | undefined;
  /** Who runs parts of prompts meanwhile; used where the decoder was rewritten. Default: nobody. */
  readonly prefill?: PrefillHelp | undefined;
}

const DEFAULT_PREFIX_BYTES = 64 * 1024 * 1024;

/** @throws ModelError when a graph cannot be loaded or is of an unknown kind; nothing stays loaded then */
export async function loadGraphs(
  directory: ModelDirectory,
  options: LoadGraphsOptions,
): Promise<ModelRunnerParts> {
  const { graphs, geometry } = directory;
  const { threads, gpu } = options;
  if (gpu?.device === 'webgpu') return await loadOnGpu(directory, options, gpu);
  const sessions: OrtSession[] = [];
  const kept = (session: OrtSession): OrtSession => {
    sessions.push(session);
    return session;
  };
  try {
    const rewritten = graphs.decoder.rewrite?.rewritten === true;
    const prefill = rewritten ? options.prefill : undefined;
    const session = kept(await loadGraph(graphs.decoder, { threads, gpu }));
    checkLogits(session.outputs.get('logits'));
    const decoder = new Decoder(session);
    const ports = kvPorts(session, geometry);
    const budget = budgetOf(ports, geometry.contextLength, options);
    const cache = rewritten
      ? new SlotKvCache(ports, budget.tokens, prefill !== undefined)
      : new PlainKvCache(ports, layoutOf(graphs.decoder.signature.opTypes));
    const prefixes = new PrefixCache(
      options.prefixCacheBytes ?? DEFAULT_PREFIX_BYTES,
      options.prefixListener,
    );
    const embedder = decoder.takesEmbeds
      ? new TokenEmbedder(kept(await loadEmbedding(directory, gpu)), geometry.hiddenSize)
      : undefined;
    const besideOf = async (fewer: number): Promise<OrtSession> =>
      fewer === threads ? session : kept(await loadGraph(graphs.decoder, { threads: fewer }));
    const help = prefill && helpOf(prefill, await besideOf(prefill.threadsBeside));
    const wider = options.wide && gpu === undefined ? options.wide : undefined;
    const wide = wider && {
      decoder: new Decoder(kept(await loadGraph(graphs.decoder, { threads: wider.threads }))),
      isNow: () => wider.isNow(),
    };
    const decoders = [decoder, help?.localDecoder, wide?.decoder].filter((each) => each !== undefined);
    for (const each of decoders) {
      await tryDecoder({ ...geometry, decoder: each, embedder, cache });
    }
    const { imageTokenId } = geometry;
    const seesAhead = seesAheadOf(directory, session);
    return { decoder, embedder, cache, budget, prefixes, gpu, help, wide, imageTokenId, seesAhead };
  } catch (error) {
    await Promise.all(sessions.map((session) => session.release()));
    throw isErrorNamed(error, 'TypeError') ? unknownKind(graphs.decoder.path, error) : error;
  }
}

function helpOf({ actor, takesImages }: PrefillHelp, localDecoder: OrtSession): PromptHelp {
  return {
    extend: async (part) => new Predictions(receivedTensors(await actor.ask('extend', part))),
    localDecoder: new Decoder(localDecoder),
    takesImages,
    get ready() {
      return actor.members.length > 0;
    },
  };
}

/**
 * The decoder as it came, its keys and values and the merge of images on the GPU: the rewritten one is made for the
 * CPU, and of so many small operators that it is several times as slow there. Token embeddings are looked up on the
 * CPU, where they are remembered. There is no prefix cache: it copies keys and values on the host.
 */
async function loadOnGpu(
  directory: ModelDirectory,
  options: LoadGraphsOptions,
  gpu: GpuMemory,
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
    const staysOnGpu = signature.outputs.map(({ name }) => name).filter((name) => name !== 'logits');
    const session = kept(await loadGraph(asItCame, { threads: options.threads, gpu, staysOnGpu }));
    checkLogits(session.outputs.get('logits'));
    const decoder = new Decoder(session);
    const ports = kvPorts(session, geometry);
    const budget = budgetOf(ports, geometry.contextLength, options);
    const grouped = layoutOf(signature.opTypes) === GROUP_QUERY_LAYOUT;
    const cache = kept(await GpuKvCache.load(ports, grouped, gpu));
    const prefixes = new PrefixCache(0);
    const embedder = decoder.takesEmbeds
      ? new TokenEmbedder(kept(await loadEmbedding(directory)), geometry.hiddenSize)
      : undefined;
    const merge = embedder && kept(await GpuImageMerge.load(geometry.hiddenSize, gpu));
    if (grouped) {
      const trial = promptTrial({ decoder, embedder, cache, ...geometry });
      cache.allowPerRun(await promptTokensPerRun(trial, geometry.contextLength));
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

/**
 * An export that is not told which tokens see later ones lets none; the operator GroupQueryAttention has no other way. One with
 * a mask of its own may let all tokens of a run see each other, so that where a prompt's do, prompts are run whole.
 */
function seesAheadOf({ graphs, geometry }: ModelDirectory, { inputs }: GraphSession): SeesAhead {
  const { seesAhead } = geometry;
  if (inputs.has('token_type_ids')) return seesAhead;
  const ownMask = layoutOf(graphs.decoder.signature.opTypes) !== GROUP_QUERY_LAYOUT;
  return seesAhead === 'prompt' && ownMask ? 'prompt' : 'none';
}

function budgetOf(
  ports: readonly KvPort[],
  contextLength: number,
  { kvCacheBytes, maxRunning }: LoadGraphsOptions,
): KvBudget {
  const each = bytesPerToken(ports);
  const most = maxRunning * capacityFor(contextLength) * each;
  return new KvBudget(Math.min(kvCacheBytes ?? most, most), each);
}

/** See `kv-layout.ts`: the operator decides where the new token of a row goes. */
export function layoutOf(opTypes: readonly string[]): KvLayout {
  const grouped = opTypes.some((op) => op === 'GroupQueryAttention' || op.endsWith('.GroupQueryAttention'));
  return grouped ? GROUP_QUERY_LAYOUT : CONCAT_LAYOUT;
}

/** On one thread: it copies rows, for which a second one would have to be waited for. */
async function loadEmbedding({ graphs, path }: ModelDirectory, gpu?: GpuMemory): Promise<OrtSession> {
  if (graphs.embed !== undefined) return await loadGraph(graphs.embed, { threads: 1, gpu });
  const remedy = 'Put onnx/embed_tokens.onnx there: the decoder takes embeddings';
  throw new ModelError('MODEL_FILE_MISSING', 'The model has no token embedding graph', { path, remedy });
}

function unknownKind(path: string, cause: TypeError): ModelError {
  const remedy = 'Use an export of the Hub layout, float32 outside and float32 or float16 keys and values';
  return new ModelError(
    'MODEL_UNSUPPORTED',
    `The graphs are of an unknown kind (${cause.message})`,
    { path, remedy },
    cause,
  );
}
