/**
 * From a model directory to the parts of a `ModelRunner`: which graphs are loaded, and which KV cache fits the
 * decoder's kind of export.
 */

import { isErrorNamed } from '../../../runtime/util/realms.ts';
import { loadGraph } from '../../inference/load-graph.ts';
import { loadSteps } from '../../inference/load-steps.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import { receivedTensors } from '../../inference/sent-tensors.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
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
import type { ModelRunnerParts } from './model-runner.ts';
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
    const steps = gpu === undefined ? await loadSteps(graphs.decoder, threads) : undefined;
    const decoder = new Decoder(session, undefined, steps && kept(steps));
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
    const wide = wider && (await loadWide(graphs.decoder, wider, kept));
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
