/**
 * Where the vision graph's output goes: the one thing in which the encoder and the aggregated actor differ.
 * The encoder's embeddings are for another thread, so the graph writes them into shared memory; the aggregated
 * actor's never leave it, so they stay in the buffer that onnxruntime made.
 */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import { SharedEmbedding } from './shared-embedding.ts';

/** Runs the graph, into `target` where one is given. */
export type Produce = (target?: Float32Array) => Promise<Float32Array>;

export interface EmbeddingStore<E> {
  /** @param shape `[tiles, tokensPerTile, hidden]` */
  put(shape: readonly number[], produce: Produce, signal: AbortSignal): Promise<SharedEmbedding<E>>;
}

/** float32 in an arena; waits while the arena is full. */
export class ArenaEmbeddingStore implements EmbeddingStore<SharedTensor> {
  readonly #arena: SharedArena;
  readonly #holder: number;

  constructor(arena: SharedArena, holder: number) {
    this.#arena = arena;
    this.#holder = holder;
  }

  async put(
    shape: readonly number[],
    produce: Produce,
    signal: AbortSignal,
  ): Promise<SharedEmbedding<SharedTensor>> {
    const tensor = await this.#arena.allocate('float32', shape, this.#holder, { signal });
    const free = () => void this.#arena.release(tensor, this.#holder);
    try {
      await produce(this.#arena.view(tensor));
      return new SharedEmbedding(tensor, tensor.byteLength, free);
    } catch (error) {
      free();
      throw error;
    }
  }
}

/** float32 on this thread's heap. */
export class LocalEmbeddingStore implements EmbeddingStore<Float32Array> {
  async put(_shape: readonly number[], produce: Produce): Promise<SharedEmbedding<Float32Array>> {
    const data = await produce();
    return new SharedEmbedding(data, data.byteLength, () => {});
  }
}
