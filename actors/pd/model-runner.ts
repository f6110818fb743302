/**
 * The forward passes of the language model: a prompt at batch 1, one token of every running sequence. It owns the
 * graphs and the KV cache, and knows nothing of requests, queues or sampling.
 */
import type { ModelDirectory } from '../model/model-directory.ts';
import type { Decoder } from './decoder.ts';
import { imageTokensMismatch } from './engine-errors.ts';
import type { EngineImage } from './engine-request.ts';
import { mergeImages } from './image-merge.ts';
import type { KvCache } from './kv-cache/kv-cache.ts';
import { loadGraphs } from './load-graphs.ts';
import type { Logits } from './logits.ts';
import type { TokenEmbedder } from './token-embedder.ts';

export interface ModelRunnerParts {
  readonly decoder: Decoder;
  /** Absent when the decoder takes token ids. */
  readonly embedder: TokenEmbedder | undefined;
  readonly cache: KvCache;
  readonly imageTokenId: number;
  readonly imageTokensPerTile: number;
}

export class ModelRunner {
  readonly #parts: ModelRunnerParts;
  #scratch = new Float32Array(0);

  constructor(parts: ModelRunnerParts) {
    this.#parts = parts;
  }

  /** @throws ModelError when a graph cannot be loaded or is of an unknown kind */
  static async load(directory: ModelDirectory, threads: number): Promise<ModelRunner> {
    return new ModelRunner(await loadGraphs(directory, threads));
  }

  /** Rows of the KV cache in use. */
  get rows(): number {
    return this.#parts.cache.rows;
  }

  get kvBytes(): number {
    return this.#parts.cache.bytes;
  }

  /**
   * Runs a prompt, whose keys and values become the cache's last row. On failure no row is added.
   *
   * @param onImagesRead called when the images' data is no longer needed
   * @returns the logits of the last token, `[vocabulary]`
   */
  async prefill(
    promptIds: Int32Array,
    images: readonly EngineImage[],
    onImagesRead: () => void,
  ): Promise<Float32Array> {
    const { decoder, embedder, cache } = this.#parts;
    if (decoder.takesPixels) this.#checkTiles(promptIds, images);
    const embeds = await this.#embed(promptIds);
    if (embeds !== undefined && embedder !== undefined && !decoder.takesPixels) {
      mergeImages(embeds, promptIds, this.#parts.imageTokenId, embedder.hidden, images);
      onImagesRead();
    }
    const logits = await decoder.prefill({ ids: promptIds, embeds }, images, cache);
    onImagesRead();
    return logits.last(0);
  }

  /** Runs one token per row of the cache. On failure the cache is as before. */
  async decode(tokens: Int32Array): Promise<Logits> {
    const { decoder, cache } = this.#parts;
    return await decoder.step({ ids: tokens, embeds: await this.#embed(tokens) }, cache);
  }

  /** Frees a row of the cache; the last row moves into it. */
  remove(row: number): void {
    this.#parts.cache.remove(row);
  }

  /** Gives back memory that no running sequence needs; returns the bytes freed. */
  trim(): number {
    const scratch = this.#scratch.byteLength;
    this.#scratch = new Float32Array(0);
    return scratch + this.#parts.cache.trim() + (this.#parts.embedder?.clear() ?? 0);
  }

  async release(): Promise<void> {
    await this.#parts.embedder?.release();
    await this.#parts.decoder.release();
  }

  /** The tokens' embeddings, good until the next call; undefined when the decoder takes ids. */
  async #embed(ids: Int32Array): Promise<Float32Array | undefined> {
    const { embedder } = this.#parts;
    if (embedder === undefined) return undefined;
    const length = ids.length * embedder.hidden;
    if (length > this.#scratch.length)
      this.#scratch = new Float32Array(Math.max(length, 2 * this.#scratch.length));
    const embeds = this.#scratch.subarray(0, length);
    await embedder.embed(ids, embeds);
    return embeds;
  }

  /** A graph that merges the images itself would not say which request was wrong. */
  #checkTiles(promptIds: Int32Array, images: readonly EngineImage[]): void {
    const { imageTokenId, imageTokensPerTile } = this.#parts;
    const imageTokens = promptIds.reduce((count, id) => count + Number(id === imageTokenId), 0);
    const tiles = images.reduce((sum, image) => sum + (image.shape[0] ?? 0), 0);
    if (imageTokens !== tiles * imageTokensPerTile) {
      throw imageTokensMismatch(imageTokens, tiles * imageTokensPerTile);
    }
  }
}
