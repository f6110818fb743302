/** The encoder actor: the vision graph on its own thread. Its embeddings go to PD in shared memory. */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { processNow } from '../../runtime/clock.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { EMBEDDING_ARENA, encoderActor, PIXEL_ARENA } from '../protocols.ts';
import { assertWanted, hop, received, stageSpan } from '../trace.ts';
import { ArenaEmbeddingStore } from './embedding-store.ts';
import { VisionEncoder } from './vision-encoder.ts';
import { VisionStage } from './vision-stage.ts';

/** Requests that may be encoded or waiting for PD's room at once; each holds its embeddings meanwhile. */
const CONCURRENCY = 8;

export default defineActor({
  blueprint: encoderActor,
  concurrency: CONCURRENCY,
  async setup({ directory, threads, cacheBytes, pd }, context) {
    prepareInferenceThread(directory);
    const { imageTokensPerTile, hiddenSize } = directory.geometry;
    const stage = new VisionStage({
      encoder: await VisionEncoder.load(directory, { threads }),
      store: new ArenaEmbeddingStore(context.arena(EMBEDDING_ARENA), context.holder),
      pixels: context.arena(PIXEL_ARENA),
      holder: context.holder,
      embeddingShape: [imageTokensPerTile, hiddenSize],
      cacheBytes,
    });
    return {
      handlers: {
        async generate({ images, ...envelope }, writer) {
          assertWanted(envelope, writer.signal);
          const trace = received(envelope.trace, context.name);
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          const { embeddings, encodeMs } = await stage.encode(images, signal);
          try {
            const encoded = embeddings.map(({ value }, index) => ({
              hash: images[index]?.hash ?? '',
              embeddings: value,
            }));
            const tensors = encoded.map((image) => image.embeddings);
            const hops = [...trace.hops, hop(context.name, pd.name, 'embeddings', tensors)];
            const stages = [...trace.stages, stageSpan('encode', context.name, encodeMs)];
            const handedOver = { ...trace, encodeMs, hops, stages, handedOverAt: processNow() };
            // Until PD has taken its own hold on the embeddings, ours must not go.
            await pd.forward('generate', { ...envelope, images: encoded, trace: handedOver }, writer, {
              signal,
            });
          } finally {
            for (const embedding of embeddings) embedding.done();
          }
        },
      },
      control: { clearCaches: () => stage.clear() },
      stats: () => ({ ...stage.stats() }),
      stop: () => stage.release(),
    };
  },
});
