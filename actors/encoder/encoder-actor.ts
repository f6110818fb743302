/** The encoder actor: the vision graph on its own thread. Its embeddings go to PD in shared memory. */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { processNow } from '../../runtime/clock.ts';
import { owningGpu } from '../inference/gpu/own-gpu.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { loadUnchanged } from '../model/file-stamps.ts';
import { EMBEDDING_ARENA, EMBEDDING_CACHE, encoderActor, PIXEL_ARENA } from '../protocols.ts';
import { PrefixRouter } from '../route-by-prefix.ts';
import { assertWanted, hop, received, stageSpan } from '../trace.ts';
import { VisionEncoder } from './vision-encoder.ts';
import { VisionStage } from './vision-stage.ts';

/** Requests that may be encoded or waiting for PD's room at once; each holds its embeddings meanwhile. */
const CONCURRENCY = 8;

export default defineActor({
  blueprint: encoderActor,
  concurrency: CONCURRENCY,
  async setup({ directory, device, threads, maxTilesPerRun, pd, board }, context) {
    prepareInferenceThread(directory);
    const { encoder, gpu } = await owningGpu(device, context.name, async (owned) => ({
      encoder: await loadUnchanged(directory.stamps, () =>
        VisionEncoder.load(directory, { threads, gpu: owned }),
      ),
      gpu: owned,
    }));
    /** Ends the actor when its GPU was lost: the supervisor starts it anew. */
    const watch = context.loop(() => {
      if (gpu?.lost !== undefined) throw gpu.lost;
      return false;
    });
    const router = new PrefixRouter(board, directory.geometry.imageTokenId);
    const stage = new VisionStage({
      encoder,
      pixels: context.arena(PIXEL_ARENA),
      embeddings: context.arena(EMBEDDING_ARENA),
      cache: context.cache(EMBEDDING_CACHE),
      holder: context.holder,
      maxTilesPerRun,
    });
    return {
      handlers: {
        async generate({ images: prepared, ...envelope }, writer) {
          assertWanted(envelope, writer.signal);
          const trace = received(envelope.trace, context.name);
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          const whose = { requestId: envelope.requestId, signal };
          const { images, encodeMs, release } = await stage.encode(prepared, whose).finally(() => {
            if (gpu?.lost !== undefined) watch.wake();
          });
          try {
            const tensors = images.map(({ embeddings }) => embeddings);
            const hops = [...trace.hops, hop(context.name, pd.name, 'embeddings', tensors)];
            const stages = [...trace.stages, stageSpan('encode', context.name, encodeMs)];
            const handedOver = { ...trace, encodeMs, hops, stages, handedOverAt: processNow() };
            // Until PD has taken its own hold on the embeddings, ours must not go.
            const prefer = router.preferenceFor({ promptIds: envelope.promptIds, images });
            const request = { ...envelope, images, trace: handedOver };
            await pd.forward('generate', request, writer, { signal, prefer });
          } finally {
            release();
          }
        },
      },
      stats: () => ({ ...stage.stats(), ...(gpu === undefined ? {} : { gpu: gpu.stats() }) }),
      stop: async () => {
        await stage.release();
        gpu?.release();
      },
    };
  },
});
