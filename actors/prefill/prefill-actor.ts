/**
 * The prefill actor: runs parts of long prompts for PD actors, which decode meanwhile. It keeps nothing between two
 * parts: what the prompt has come to lies in memory that PD shares, and what a part adds is written there. So any of
 * them can run any part, and one that dies has nothing that would be lost.
 */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { giveWay } from '../../runtime/thread/give-way.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { loadGraph } from '../inference/load-graph.ts';
import { sentTensors } from '../inference/sent-tensors.ts';
import { loadUnchanged } from '../model/file-stamps.ts';
import { kvPorts } from '../pd/kv-cache/kv-signature.ts';
import { SlotKvCache } from '../pd/kv-cache/slot-kv-cache.ts';
import { SlotPromptKv } from '../pd/kv-cache/slot-prompt-kv.ts';
import { Decoder } from '../pd/runner/decoder.ts';
import { type PromptTrialParts, tryDecoder } from '../pd/runner/prompt-trial.ts';
import { prefillActor } from '../protocols.ts';

export default defineActor({
  blueprint: prefillActor,
  async setup({ directory, threads }) {
    prepareInferenceThread(directory);
    // Once more: an answer that is being read goes before a prompt.
    giveWay();
    const session = await loadUnchanged(directory.stamps, () =>
      loadGraph(directory.graphs.prompts ?? directory.graphs.decoder, { threads }),
    );
    const ports = kvPorts(session, directory.geometry);
    const cache = { fetches: ports.map(({ present }) => present) };
    const decoder = new Decoder(session);
    const { geometry } = directory;
    await tryDecoder({
      ...geometry,
      decoder,
      embedder: nothing(decoder, geometry.hiddenSize),
      cache: new SlotKvCache(ports, geometry.contextLength),
    });
    let prefillRuns = 0;
    let prefillTokens = 0;
    return {
      handlers: {
        async extend({ past, ...tokens }, { signal }) {
          signal.throwIfAborted();
          const kv = SlotPromptKv.over(ports, past);
          const predictions = await decoder.extend(tokens, [], kv, cache);
          prefillRuns += 1;
          prefillTokens += tokens.ids.length;
          return sentTensors(predictions.outputs);
        },
      },
      stats: () => ({ prefillRuns, prefillTokens }),
      stop: () => session.release(),
    };
  },
});

/** Embeddings of zeros: this actor has no graph of them, and is handed them with each part. */
function nothing({ takesEmbeds }: Decoder, hidden: number): PromptTrialParts['embedder'] {
  return takesEmbeds ? { hidden, embed: async () => {} } : undefined;
}
