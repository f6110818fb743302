/**
 * The encoder's own logic, without the actor around it: prepared images in, embeddings out, through a cache
 * keyed by content. The encoder actor and the aggregated actor are both made of it.
 */
import { processNow } from '../../runtime/clock.ts';
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { PreparedImage } from '../generation.ts';
import { EmbeddingCache, type EmbeddingCacheStats } from './embedding-cache.ts';
import type { EmbeddingStore } from './embedding-store.ts';
import type { SharedEmbedding } from './shared-embedding.ts';
import type { PixelShape, VisionEncoder } from './vision-encoder.ts';

export interface VisionStageOptions<E> {
  readonly encoder: VisionEncoder;
  readonly store: EmbeddingStore<E>;
  /** Where the pixels are. */
  readonly pixels: SharedArena;
  readonly holder: number;
  /** `[tokensPerTile, hidden]` of the graph's output. */
  readonly embeddingShape: readonly [number, number];
  readonly cacheBytes: number;
}

export interface EncodedBatch<E> {
  /** In the order of the images; in use until `done` is called on each. */
  readonly embeddings: readonly SharedEmbedding<E>[];
  readonly encodeMs: number;
}

export class VisionStage<E> {
  readonly #options: VisionStageOptions<E>;
  readonly #cache: EmbeddingCache<SharedEmbedding<E>>;
  #encodes = 0;
  #tiles = 0;

  constructor(options: VisionStageOptions<E>) {
    this.#options = options;
    this.#cache = new EmbeddingCache({
      maxBytes: options.cacheBytes,
      bytesOf: (embedding) => embedding.byteLength,
      retain: (embedding) => embedding.use(),
      dispose: (embedding) => embedding.done(),
    });
  }

  /**
   * Encodes a request's images, or finds them. The caller keeps the pixels alive meanwhile.
   * @throws TroupeError `TENSOR_RELEASED` when the pixels are gone, `MODEL_RUN_FAILED` when the graph fails
   */
  async encode(images: readonly PreparedImage[], signal: AbortSignal): Promise<EncodedBatch<E>> {
    const startedAt = processNow();
    const embeddings: SharedEmbedding<E>[] = [];
    try {
      for (const image of images) {
        signal.throwIfAborted();
        embeddings.push(await this.#cache.get(image.hash, () => this.#run(image, signal)));
      }
    } catch (error) {
      for (const embedding of embeddings) embedding.done();
      throw error;
    }
    return { embeddings, encodeMs: processNow() - startedAt };
  }

  /** Forgets the embeddings that are kept; returns their bytes. */
  clear(): number {
    return this.#cache.clear();
  }

  stats(): { readonly encodes: number; readonly tiles: number; readonly cache: EmbeddingCacheStats } {
    return { encodes: this.#encodes, tiles: this.#tiles, cache: this.#cache.stats() };
  }

  async release(): Promise<void> {
    await this.#options.encoder.release();
  }

  async #run(image: PreparedImage, signal: AbortSignal): Promise<SharedEmbedding<E>> {
    const { encoder, store, pixels, holder, embeddingShape } = this.#options;
    const shape = pixelShape(image.pixels.shape);
    pixels.retain(image.pixels, holder);
    try {
      const run = (target?: Float32Array) => {
        this.#encodes += 1;
        this.#tiles += shape[0];
        return encoder.encode(pixels.view(image.pixels) as Float32Array, shape, target);
      };
      return await store.put([shape[0], ...embeddingShape], run, signal);
    } finally {
      pixels.release(image.pixels, holder);
    }
  }
}

function pixelShape(shape: readonly number[]): PixelShape {
  const [tiles = 0, channels = 0, height = 0, width = 0] = shape;
  return [tiles, channels, height, width];
}
