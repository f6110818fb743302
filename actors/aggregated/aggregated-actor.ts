/**
 * The aggregated actor: the encoder's logic and PD's in one thread. It serves the encoder's protocol, so the
 * processor cannot tell the two apart; the embeddings go from one stage to the other as a plain array and never
 * enter a message. A model whose decoder takes pixels itself runs here without a vision stage.
 */
import type { ActorContext } from '../../runtime/actor/actor-context.ts';
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { LocalEmbeddingStore } from '../encoder/embedding-store.ts';
import { VisionEncoder } from '../encoder/vision-encoder.ts';
import { VisionStage } from '../encoder/vision-stage.ts';
import type { PreparedImage } from '../generation.ts';
import { holdImages } from '../held-images.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { PdEngine } from '../pd/engine.ts';
import type { EngineImage } from '../pd/engine-request.ts';
import { LanguageStage } from '../pd/language-stage.ts';
import { type AggregatedArgs, aggregatedActor, PIXEL_ARENA } from '../protocols.ts';
import { assertWanted, received, stageSpan } from '../trace.ts';

/** Requests that may be encoded or waiting for room in the batch at once. */
const CONCURRENCY = 8;

export default defineActor({
  blueprint: aggregatedActor,
  concurrency: CONCURRENCY,
  async setup(args, context) {
    prepareInferenceThread(args.directory);
    const language = new LanguageStage(await PdEngine.load(args.directory, args), args.maxRunning, context);
    const images = await imageSource(args, context);
    return {
      handlers: {
        async generate({ images: prepared, ...envelope }, writer) {
          assertWanted(envelope, writer.signal);
          const trace = received(envelope.trace, context.name);
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          const { ready, encodeMs } = await images.open(prepared, signal);
          const encode = stageSpan('encode', context.name, encodeMs);
          const stages = encodeMs > 0 ? [...trace.stages, encode] : trace.stages;
          try {
            await language.room(signal);
          } catch (error) {
            for (const image of ready) image.release();
            throw error;
          }
          language.submit(
            { envelope: { ...envelope, trace: { ...trace, encodeMs, stages } }, images: ready },
            writer,
          );
        },
      },
      control: { clearCaches: async () => images.clear() + (await language.clear()) },
      stats: () => ({ ...language.stats(), ...images.stats() }),
      stop: async () => {
        await language.release();
        await images.release();
      },
    };
  },
});

/** How a prepared image becomes what the engine reads. */
interface ImageSource {
  open(
    images: readonly PreparedImage[],
    signal: AbortSignal,
  ): Promise<{ ready: EngineImage[]; encodeMs: number }>;
  clear(): number;
  stats(): object;
  release(): Promise<void>;
}

async function imageSource(args: AggregatedArgs, context: ActorContext): Promise<ImageSource> {
  return args.directory.encoding === 'integrated'
    ? pixelSource(context)
    : await embeddingSource(args, context);
}

/** Through the vision graph. */
async function embeddingSource(args: AggregatedArgs, context: ActorContext): Promise<ImageSource> {
  const { imageTokensPerTile, hiddenSize } = args.directory.geometry;
  const stage = new VisionStage({
    encoder: await VisionEncoder.load(args.directory, { threads: args.threads }),
    store: new LocalEmbeddingStore(),
    pixels: context.arena(PIXEL_ARENA),
    holder: context.holder,
    embeddingShape: [imageTokensPerTile, hiddenSize],
    cacheBytes: args.cacheBytes,
  });
  return {
    async open(images, signal) {
      const { embeddings, encodeMs } = await stage.encode(images, signal);
      const ready = embeddings.map((embedding, index) => ({
        data: embedding.value,
        shape: [images[index]?.pixels.shape[0] ?? 0, imageTokensPerTile, hiddenSize],
        release: () => embedding.done(),
      }));
      return { ready, encodeMs };
    },
    clear: () => stage.clear(),
    stats: () => stage.stats(),
    release: () => stage.release(),
  };
}

/** Straight into the decoder graph, which encodes them itself. */
function pixelSource(context: ActorContext): ImageSource {
  const arena = context.arena(PIXEL_ARENA);
  return {
    async open(images) {
      const tensors = images.map(({ pixels }) => pixels);
      const ready = holdImages(arena, context.holder, tensors);
      return { ready, encodeMs: 0 };
    },
    clear: () => 0,
    stats: () => ({}),
    release: async () => {},
  };
}
