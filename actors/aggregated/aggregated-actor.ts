/**
 * The aggregated actor: the encoder's logic and PD's in one thread, taking turns. It serves the encoder's protocol,
 * so the processor cannot tell the two apart; the embeddings go from one stage to the other within the thread and
 * are handed to nobody. A model whose decoder takes pixels itself runs here without a vision stage.
 */
import type { ActorContext } from '../../runtime/actor/actor-context.ts';
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { VisionEncoder } from '../encoder/vision-encoder.ts';
import { type ImagesOf, VisionStage } from '../encoder/vision-stage.ts';
import { type EncodedImage, isEncoded, type PreparedImage } from '../generation.ts';
import type { GpuMemory } from '../inference/gpu/gpu-memory.ts';
import { owningGpu } from '../inference/gpu/own-gpu.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { loadUnchanged } from '../model/file-stamps.ts';
import { PdEngine } from '../pd/engine/engine.ts';
import type { EngineImage } from '../pd/engine-request.ts';
import { embeddedImage, holdImages } from '../pd/held-images.ts';
import { LanguageStage } from '../pd/language-stage.ts';
import { type PoolMember, poolMember } from '../pool-member.ts';
import {
  type AggregatedArgs,
  aggregatedActor,
  EMBEDDING_ARENA,
  EMBEDDING_CACHE,
  PIXEL_ARENA,
} from '../protocols.ts';
import { assertWanted, received, stageSpan } from '../trace.ts';
import { gpuImageSource } from './gpu-image-source.ts';

/** Requests that may be encoded or waiting for room in the batch at once. */
const CONCURRENCY = 8;

export default defineActor({
  blueprint: aggregatedActor,
  concurrency: CONCURRENCY,
  async setup(args, context) {
    prepareInferenceThread(args.directory);
    const member = poolMember(args, context.name);
    let opening = 0;
    const noteOpening = (change: 1 | -1): void => {
      opening += change;
      member.note('pictures', opening);
    };
    const { language, images } = await owningGpu(args.device, context.name, (gpu) =>
      loadUnchanged(args.directory.stamps, async () => {
        const engine = await PdEngine.load(args.directory, { ...args, ...member, gpu });
        const stage = new LanguageStage(engine, args.maxRunning, context, gpu, member);
        return {
          language: stage,
          images: await imageSource({ ...args, wide: member.wide }, context, stage, gpu),
        };
      }),
    );
    return {
      handlers: {
        async generate({ images: prepared, ...envelope }, writer) {
          assertWanted(envelope, writer.signal);
          const trace = received(envelope.trace, context.name);
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          noteOpening(1);
          const { ready, encodeMs } = await images
            .open(prepared, { requestId: envelope.requestId, signal })
            .finally(() => noteOpening(-1));
          const encode = stageSpan('encode', context.name, encodeMs);
          const stages = encodeMs > 0 ? [...trace.stages, encode] : trace.stages;
          try {
            await language.room(envelope, signal);
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
      control: { clearCaches: () => language.clear() },
      stats: () => ({ ...language.stats(), ...images.stats() }),
      stop: async () => {
        await images.release();
        await language.release();
      },
    };
  },
});

/** How a prepared image becomes what the engine reads. */
export interface ImageSource {
  open(
    images: readonly (PreparedImage | EncodedImage)[],
    whose: ImagesOf,
  ): Promise<{ ready: EngineImage[]; encodeMs: number }>;
  stats(): object;
  release(): Promise<void>;
}

type SourceArgs = AggregatedArgs & Pick<PoolMember, 'wide'>;

async function imageSource(
  args: SourceArgs,
  context: ActorContext,
  language: LanguageStage,
  gpu: GpuMemory | undefined,
): Promise<ImageSource> {
  if (args.directory.encoding === 'integrated') return pixelSource(context);
  return gpu?.device === 'webgpu'
    ? await gpuImageSource(args, context, gpu, () => language.wake())
    : await embeddingSource(args, context, language, gpu);
}

/** Through the vision graph, in turns with the language model's steps. */
async function embeddingSource(
  args: SourceArgs,
  context: ActorContext,
  language: LanguageStage,
  gpu: GpuMemory | undefined,
): Promise<ImageSource> {
  const embeddings = context.arena(EMBEDDING_ARENA);
  const stage = new VisionStage({
    encoder: await VisionEncoder.load(args.directory, { threads: args.threads, wide: args.wide, gpu }),
    pixels: context.arena(PIXEL_ARENA),
    embeddings,
    cache: context.cache(EMBEDDING_CACHE),
    holder: context.holder,
    maxTilesPerRun: args.maxTilesPerRun,
    others: { answers: () => language.hasAnswers, prompts: () => language.hasPrompts },
  });
  return {
    async open(images, whose) {
      const { images: encoded, encodeMs, release } = await stage.encode(images, whose);
      try {
        // The engine holds on to each for itself, as PD's actor does.
        const named = encoded.map(({ hash, embeddings: tensor }) => embeddedImage(hash, tensor));
        return { ready: holdImages(embeddings, context.holder, named), encodeMs };
      } finally {
        release();
      }
    },
    stats: () => stage.stats(),
    release: () => stage.release(),
  };
}

/** Straight into the decoder graph, which encodes them itself. */
function pixelSource(context: ActorContext): ImageSource {
  const arena = context.arena(PIXEL_ARENA);
  return {
    async open(images) {
      // No embeddings are ever made, so none can have been found.
      const prepared = images.flatMap((image) =>
        isEncoded(image) ? [] : [{ ...image, tensor: image.pixels }],
      );
      const ready = holdImages(arena, context.holder, prepared);
      return { ready, encodeMs: 0 };
    },
    stats: () => ({}),
    release: async () => {},
  };
}
