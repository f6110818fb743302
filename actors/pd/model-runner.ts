/**
 * The forward passes of the language model: prompts in parts or several at once, one token of every running sequence.
 * It owns the graphs, the KV cache and the prefix cache, and knows nothing of requests, queues or sampling.
 */
import type { GpuMemory } from '../gpu/gpu-memory.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { Decoder } from './decoder.ts';
import type { EngineImage } from './engine-request.ts';
import type { GpuImageMerge } from './gpu-image-merge.ts';
import type { KvBudget } from './kv-cache/kv-budget.ts';
import type { KvCache } from './kv-cache/kv-cache.ts';
import { SlotDraft } from './kv-cache/slot-draft.ts';
import { type LoadGraphsOptions, loadGraphs } from './load-graphs.ts';
import type { Predictions } from './predictions.ts';
import { CPU_PROMPT_RUNS, type PromptRuns } from './prefill-pacer.ts';
import type { PrefixCache, PrefixCacheStats } from './prefix-cache/prefix-cache.ts';
import { prefixKeys } from './prefix-cache/prefix-keys.ts';
import { PromptFeeds } from './prompt-feeds.ts';
import { PromptRun } from './prompt-run.ts';
import type { TokenEmbedder } from './token-embedder.ts';

export interface ModelRunnerParts {
  readonly decoder: Decoder;
  /** Absent when the decoder takes token ids. */
  readonly embedder: TokenEmbedder | undefined;
  readonly cache: KvCache;
  readonly budget: KvBudget;
  readonly prefixes: PrefixCache;
  /** Present when the decoder runs on a GPU, which this actor then owns. */
  readonly gpu?: GpuMemory | undefined;
  /** Present where embeddings that lie on the GPU can be merged there. */
  readonly merge?: GpuImageMerge | undefined;
  /** Default: those of a CPU. */
  readonly promptRuns?: PromptRuns;
  readonly imageTokenId: number;
  readonly imageTokensPerTile: number;
}

export class ModelRunner {
  readonly #parts: ModelRunnerParts;
  readonly #feeds: PromptFeeds;
  #scratch = new Float32Array(0);

  constructor(parts: ModelRunnerParts) {
    this.#parts = parts;
    this.#feeds = new PromptFeeds(parts);
  }

  /** @throws ModelError when a graph cannot be loaded or is of an unknown kind */
  static async load(directory: ModelDirectory, options: LoadGraphsOptions): Promise<ModelRunner> {
    return new ModelRunner(await loadGraphs(directory, options));
  }

  /** Rows of the KV cache in use. */
  get rows(): number {
    return this.#parts.cache.rows;
  }

  get kvBytes(): number {
    return this.#parts.cache.bytes;
  }

  get budget(): KvBudget {
    return this.#parts.budget;
  }

  /** How many tokens of prompts are worth a run. */
  get promptRuns(): PromptRuns {
    return this.#parts.promptRuns ?? CPU_PROMPT_RUNS;
  }

  get prefixStats(): PrefixCacheStats {
    return this.#parts.prefixes.stats();
  }

  /**
   * Opens a prompt, with what the prefix cache knows of it. Nothing is computed yet, and an image's data is not read:
   * an image that lies wholly in the known part is needed by its hash alone.
   *
   * @param onImagesRead called when the images' data is no longer needed
   * @param logits whether those of the last token are wanted, and not the likeliest one alone
   */
  begin(ids: Int32Array, images: readonly EngineImage[], onImagesRead: () => void, logits = true): PromptRun {
    const { cache, prefixes, imageTokenId } = this.#parts;
    const draft = cache.draft(ids.length);
    let keys: readonly string[] = [];
    let cachedTokens = 0;
    if (draft instanceof SlotDraft) {
      const tokensOf = (image: EngineImage) => (image.shape[0] ?? 0) * this.#parts.imageTokensPerTile;
      const identities = images.map((image) => ({ hash: image.hash, tokens: tokensOf(image) }));
      keys = prefixKeys(ids, imageTokenId, identities);
      const usable = this.#mayRestore(ids, keys) ? keys : [];
      cachedTokens = prefixes.restore(usable, ids.length, draft);
    }
    return new PromptRun({ ids, images, draft, keys, cachedTokens, logits, onImagesRead });
  }

  /** Whether this prompt can share a run with others: all of it is still to be run, and it needs no pixels. */
  joinsOthers(run: PromptRun): boolean {
    return this.#parts.cache.together && run.done === 0 && this.#cuttable(run);
  }

  /**
   * Runs up to `most` further tokens of a prompt; all of them where it cannot be cut. On failure the prompt is as
   * before, and may be dropped.
   *
   * @returns what its last token predicts, in row 0, once the prompt is complete
   */
  async extend(run: PromptRun, most: number): Promise<Predictions | undefined> {
    const { decoder, cache } = this.#parts;
    const from = run.done;
    const part = Math.min(most, cache.mostTokensPerRun);
    const to = from + (this.#cuttable(run) ? Math.min(part, run.left) : run.left);
    await this.#feeds.prepare(run);
    const predictions = await this.#feeds.withPart(run, from, to, (tokens) =>
      decoder.extend(tokens, run.images, run.draft, cache),
    );
    if (run.left === 0 || !this.#feeds.mergesOnGpu(run)) run.imagesRead();
    this.#offer(run, from);
    return run.left === 0 ? predictions : undefined;
  }

  /** Runs several prompts whole, in one run; see `joinsOthers`. @returns what their last tokens predict */
  async together(runs: readonly PromptRun[]): Promise<Predictions> {
    const { decoder, cache } = this.#parts;
    for (const run of runs) await this.#feeds.prepare(run);
    const drafts = runs.map((run) => run.draft);
    const lengths = runs.map((run) => run.ids.length);
    const predictions = await decoder.together(this.#feeds.padded(runs), lengths, drafts, cache);
    for (const run of runs) {
      run.imagesRead();
      this.#offer(run, 0);
    }
    return predictions;
  }

  /** Makes a complete prompt the cache's last row. */
  join(run: PromptRun): void {
    this.#parts.cache.join(run.draft);
  }

  /** Forgets a prompt that will not be a row. */
  drop(run: PromptRun): void {
    this.#parts.cache.drop(run.draft);
  }

  /**
   * Runs one token per row of the cache. On failure the cache is as before.
   *
   * @param logits whether they are wanted, and not the likeliest tokens alone
   */
  async decode(tokens: Int32Array, logits = true): Promise<Predictions> {
    const { decoder, cache, embedder } = this.#parts;
    const embeds = embedder === undefined ? undefined : this.#room(tokens.length * embedder.hidden);
    if (embeds !== undefined) await embedder?.embed(tokens, embeds);
    return await decoder.step({ ids: tokens, embeds, logits }, cache);
  }

  /** Frees a row of the cache; the last row moves into it. */
  remove(row: number): void {
    this.#parts.cache.remove(row);
  }

  /** To be called after a sequence whose numbers were not finite has left. */
  scrub(): void {
    this.#parts.cache.scrub();
    // Its prompt may have been kept; which blocks are sound is not worth finding out.
    this.#parts.prefixes.clear();
  }

  /** Gives back memory that no running sequence needs; returns the bytes freed. */
  trim(): number {
    const { cache, prefixes, embedder } = this.#parts;
    const scratch = this.#scratch.byteLength;
    this.#scratch = new Float32Array(0);
    return scratch + prefixes.clear() + cache.trim() + (embedder?.clear() ?? 0);
  }

  async release(): Promise<void> {
    const { embedder, decoder, cache, gpu, merge } = this.#parts;
    await cache.release();
    await merge?.release();
    await embedder?.release();
    await decoder.release();
    gpu?.release();
  }

  #offer(run: PromptRun, from: number): void {
    if (run.draft instanceof SlotDraft) this.#parts.prefixes.offer(run.keys, from, run.draft);
  }

  /** A graph that merges images itself takes all of a prompt's images at once, or none. */
  #mayRestore(ids: Int32Array, keys: readonly string[]): boolean {
    const { decoder, prefixes, imageTokenId } = this.#parts;
    return !decoder.takesPixels || prefixes.cachedTokens(keys, ids.length) > ids.lastIndexOf(imageTokenId);
  }

  /** Whether a prompt may be run in parts and beside others. */
  #cuttable(run: PromptRun): boolean {
    return this.#parts.cache.chunked && !this.#feeds.needsPixels(run);
  }

  #room(length: number): Float32Array {
    if (length > this.#scratch.length) {
      this.#scratch = new Float32Array(Math.max(length, 2 * this.#scratch.length));
    }
    return this.#scratch.subarray(0, length);
  }
}
