/**
 * Images through the vision graph on the GPU, whose output stays there for the decoder of the same thread: no arena, no
 * cache of other actors, no copy on the host. An image is one run, and its embeddings go when its prompt has been run.
 */
import type { ActorContext } from '../../runtime/actor/actor-context.ts';
import { processNow } from '../../runtime/clock.ts';
import { VisionEncoder } from '../encoder/vision-encoder.ts';
import { ModelError } from '../errors.ts';
import { isEncoded, type PreparedImage } from '../generation.ts';
import type { GpuMemory } from '../inference/gpu/gpu-memory.ts';
import { runFor } from '../inference/run-for.ts';
import type { EngineImage } from '../pd/engine-request.ts';
import { type AggregatedArgs, PIXEL_ARENA } from '../protocols.ts';
import type { ImageSource } from './aggregated-actor.ts';

/** @param onLost called when a run may have lost the GPU */
export async function gpuImageSource(
  { directory, threads }: AggregatedArgs,
  context: ActorContext,
  gpu: GpuMemory,
  onLost: () => void,
): Promise<ImageSource> {
  const encoder = await VisionEncoder.load(directory, { threads, gpu, staysOnGpu: true });
  if (encoder.layers > 1) {
    await encoder.release();
    throw new ModelError('MODEL_UNSUPPORTED', 'Image embeddings of several layers cannot stay on a GPU yet', {
      path: directory.path,
      remedy: 'Run this model on the CPU: device cpu',
    });
  }
  const arena = context.arena(PIXEL_ARENA);
  const { holder } = context;
  const counts = { encodes: 0, tiles: 0, runs: 0 };

  const encode = async (
    { hash, pixels, tokens, parts, inputs }: PreparedImage,
    requestId: string,
  ): Promise<EngineImage> => {
    const view = arena.view(pixels) as Float32Array; // pixels are float32
    const feed = { pixels: view, shape: pixels.shape, tokens, parts, inputs };
    const onGpu = await runFor(requestId, () => encoder.encodeOnGpu(feed));
    counts.encodes += 1;
    counts.tiles += parts;
    counts.runs += 1;
    const release = () => gpu.dispose([onGpu]);
    const shape = encoder.outputShape(tokens);
    return { hash, data: new Float32Array(0), shape, tokens, inputs: {}, onGpu, release };
  };

  return {
    async open(images, { requestId, signal }) {
      const startedAt = processNow();
      // Only what this actor has put into the shared cache could be found there, and it puts nothing.
      const prepared = images.flatMap((image) => (isEncoded(image) ? [] : [image]));
      const ready: EngineImage[] = [];
      for (const { pixels } of prepared) arena.retain(pixels, holder);
      try {
        for (const image of prepared) {
          signal.throwIfAborted();
          ready.push(await encode(image, requestId));
          await new Promise((resolve) => setImmediate(resolve)); // a run is over: cancels and decode steps have their turn
        }
        return { ready, encodeMs: prepared.length === 0 ? 0 : processNow() - startedAt };
      } catch (error) {
        for (const image of ready) image.release();
        if (gpu.lost !== undefined) onLost();
        throw error;
      } finally {
        for (const { pixels } of prepared) arena.release(pixels, holder);
      }
    },
    stats: () => counts,
    release: () => encoder.release(),
  };
}
