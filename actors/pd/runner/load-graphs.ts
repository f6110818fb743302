/**
 * From a model directory to the parts of a `ModelRunner`: which graphs are loaded, and which KV cache fits the
 * decoder's kind of export.
 */

import { isErrorNamed } from '../../../runtime/util/realms.ts';
import { loadGraph } from '../../inference/load-graph.ts';
import { loadSteps, stepsGraph } from '../../inference/load-steps.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import { receivedTensors } from '../../inference/sent-tensors.ts';
import type { GraphFile, ModelDirectory } from '../../model/model-directory.ts';
import type { PrefillHelp } from '../../protocols.ts';
import { kvPorts } from '../kv-cache/kv-signature.ts';
import { PlainKvCache } from '../kv-cache/plain-kv-cache.ts';
import { SlotKvCache } from '../kv-cache/slot-kv-cache.ts';
import { PrefixCache } from '../prefix-cache/prefix-cache.ts';
import { Decoder } from './decoder.ts';
import {
  budgetOf,
  type LoadGraphsOptions,
  layoutOf,
  loadEmbedding,
  seesAheadOf,
  unknownKind,
} from './graph-parts.ts';
import { loadOnGpu } from './load-on-gpu.ts';
import { checkLogits } from './logits.ts';
import type { ModelRunnerParts } from './model-runner-parts.ts';
import { Predictions } from './predictions.ts';
import { tryDecoder } from './prompt-trial.ts';
import type { PromptHelp } from './remote-prefill.ts';
import { TokenEmbedder } from './token-embedder.ts';
import { loadWide } from './wide-decoder.ts';

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
    const ofSteps = gpu === undefined ? await stepsGraph(graphs.decoder) : undefined;
    const decoder = new Decoder(session, undefined, ofSteps && kept(await loadSteps(ofSteps, threads)));
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
    const load = async (graph: GraphFile, on: number) =>
      new Decoder(kept(await loadGraph(graph, { threads: on })));
    const prompts = graphs.prompts && (await load(graphs.prompts, threads));
    const beside = prefill && {
      decoder:
        prefill.threadsBeside === threads ? decoder : await load(graphs.decoder, prefill.threadsBeside),
      prompts: graphs.prompts && (await load(graphs.prompts, prefill.threadsBeside)),
    };
    const help = prefill && beside && helpOf(prefill, beside);
    const wider = options.wide && gpu === undefined ? options.wide : undefined;
    const wide =
      wider && (await loadWide({ prompts: graphs.prompts ?? graphs.decoder, steps: ofSteps }, wider, kept));
    const decoders = new Set([decoder, prompts, beside?.decoder, beside?.prompts, wide?.decoder]);
    for (const each of decoders) {
      if (each === undefined) continue;
      await tryDecoder({ ...geometry, decoder: each, embedder, cache });
    }
    const { imageTokenId } = geometry;
    const seesAhead = seesAheadOf(directory, session);
    return { decoder, prompts, embedder, cache, budget, prefixes, gpu, help, wide, imageTokenId, seesAhead };
  } catch (error) {
    await Promise.all(sessions.map((session) => session.release()));
    throw isErrorNamed(error, 'TypeError') ? unknownKind(graphs.decoder.path, error) : error;
  }
}

function helpOf(
  { actor, takesImages }: PrefillHelp,
  beside: { readonly decoder: Decoder; readonly prompts: Decoder | undefined },
): PromptHelp {
  return {
    extend: async (part) => new Predictions(receivedTensors(await actor.ask('extend', part))),
    localDecoder: beside.decoder,
    localPrompts: beside.prompts,
    takesImages,
    get ready() {
      return actor.members.length > 0;
    },
  };
}
