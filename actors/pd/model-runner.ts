/**
 * The forward passes of the language model: prompts in parts or several at once, one token of every running sequence.
 * It owns the graphs, the KV cache and the prefix cache, and knows nothing of requests, queues or sampling.
 */
import type { GpuMemory } from '../gpu/gpu-memory.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { PromptPart } from '../protocols.ts';
import type { Decoder } from './decoder.ts';
import type { EngineImage } from './engine-request.ts';
import type { GpuImageMerge } from './gpu-image-merge.ts';
import type { KvBudget } from './kv-cache/kv-budget.ts';
import type { KvCache } from './kv-cache/kv-cache.ts';
import { SlotDraft } from './kv-cache/slot-draft.ts';
import { SlotKvCache } from './kv-cache/slot-kv-cache.ts';
import { type LoadGraphsOptions, loadGraphs } from './load-graphs.ts';
import type { Predictions } from './predictions.ts';
import { CPU_PROMPT_RUNS, type PromptRuns } from './prefill-pacer.ts';
import type { PrefixCache, PrefixCacheStats } from './prefix-cache/prefix-cache.ts';
import { BLOCK, prefixKeys } from './prefix-cache/prefix-keys.ts';
import { PrefixOffers } from './prefix-cache/prefix-offers.ts';
import { PromptFeeds } from './prompt-feeds.ts';
import { PromptRun } from './prompt-run.ts';
import type { TokenEmbedder } from './token-embedder.ts';

/** Somebody else who runs parts of prompts while this thread decodes. */
export interface PromptHelp {
  /**
   * Writes the part's keys and values behind the past; nobody else may use that meanwhile.
   *
   * @returns what the part's last token predicts, in row 0
   */
  extend(part: PromptPart): Promise<Predictions>;
  /** The decoder of this thread on the cores that are left meanwhile. */
  readonly beside: Decoder;
  /** Whether images may be handed over. */
  readonly takesImages: boolean;
  /** Whether somebody is up. */
  readonly ready: boolean;
}

export interface ModelRunnerParts {
  readonly decoder: Decoder;
  /** Present where another actor helps with prompts. */
  readonly aside?: PromptHelp | undefined;
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

/** A part of a prompt that another actor is running. */
export interface PartAside {
  /** What its last token predicts, once the prompt is complete. */
  readonly done: Promise<Predictions | undefined>;
}

type OpeningPrompt = Pick<PromptRun, 'ids' | 'images' | 'keys' | 'logits' | 'onImagesRead'>;

export class ModelRunner {
  readonly #parts: ModelRunnerParts;
  readonly #feeds: PromptFeeds;
  readonly #offers: PrefixOffers;
  #scratch = new Float32Array(0);
  /** Parts of prompts that are being run aside. */
  #aside = 0;

  constructor(parts: ModelRunnerParts) {
    this.#parts = parts;
    this.#feeds = new PromptFeeds(parts);
    this.#offers = new PrefixOffers((run, from, to) => this.#offer(run, from, to));
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
    const tokensOf = (image: EngineImage) => (image.shape[0] ?? 0) * this.#parts.imageTokensPerTile;
    const identities = images.map((image) => ({ hash: image.hash, tokens: tokensOf(image) }));
    const keys = this.#keepsPrefixes ? prefixKeys(ids, this.#parts.imageTokenId, identities) : [];
    return this.#open({ ids, images, keys, logits, onImagesRead });
  }

  /** A prompt anew, for this thread alone: whoever failed to run a part of it may still be writing to its memory. */
  again(run: PromptRun): PromptRun {
    const fresh = this.#open(run);
    fresh.embeds = run.embeds;
    fresh.staysNear = true;
    this.drop(run);
    return fresh;
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
    const { cache } = this.#parts;
    const from = run.done;
    const part = Math.min(most, cache.mostTokensPerRun);
    const to = from + (this.#cuttable(run) ? Math.min(part, run.left) : run.left);
    await this.#feeds.prepare(run);
    const predictions = await this.#feeds.withPart(run, from, to, (tokens) =>
      this.#decoder.extend(tokens, run.images, run.draft, cache),
    );
    if (run.left === 0 || !this.#feeds.mergesOnGpu(run)) run.imagesRead();
    this.#offer(run, from);
    return run.left === 0 ? predictions : undefined;
  }

  /** Whether another actor helps with prompts. */
  get hasHelp(): boolean {
    return this.#parts.aside !== undefined;
  }

  /** Whether `sendAside` may run what is left of a prompt. */
  goesAside(run: PromptRun): boolean {
    const { aside, imageTokenId } = this.#parts;
    if (aside === undefined || !aside.ready || run.staysNear || !this.#cuttable(run)) return false;
    return aside.takesImages || !run.ids.includes(imageTokenId, run.done);
  }

  /**
   * As `extend`, by another actor: decoding may go on meanwhile, and does so on the cores that are left. Its blocks are
   * kept later, by `keepPrefixes`. Resolves when the part has been handed over; only then may this thread go on, for
   * preparing it takes the graph of token embeddings. If `done` rejects, the prompt must be begun `again`.
   */
  async sendAside(run: PromptRun, most: number): Promise<PartAside> {
    const { aside } = this.#parts;
    const { draft } = run;
    if (aside === undefined || !(draft instanceof SlotDraft)) throw new TypeError('Nobody else can run it');
    const from = run.done;
    const to = from + Math.min(most, run.left);
    await this.#feeds.prepare(run);
    return await this.#feeds.withPart(run, from, to, async ({ ids, embeds, logits }) => {
      // A view is cloned with its whole buffer.
      const own = embeds instanceof Float32Array ? embeds.slice() : undefined;
      const answer = aside.extend({ ids: ids.slice(), embeds: own, logits, past: draft.share() });
      return { done: this.#ranAside(run, draft, to, answer) };
    });
  }

  async #ranAside(
    run: PromptRun,
    draft: SlotDraft,
    to: number,
    answer: Promise<Predictions>,
  ): Promise<Predictions | undefined> {
    const from = run.done;
    this.#aside += 1;
    try {
      const predictions = await answer;
      draft.advance(to - from);
      run.imageTokensAside += countOf(this.#parts.imageTokenId, run.ids.subarray(from, to));
      this.#offers.add(run, from);
      return run.left === 0 ? predictions : undefined;
    } finally {
      this.#aside -= 1;
    }
  }

  /** Keeps blocks of prompts that were run aside: one block of each, or all. */
  keepPrefixes(all: boolean): void {
    this.#offers.give(all ? undefined : BLOCK);
  }

  /** Runs several prompts whole, in one run; see `joinsOthers`. @returns what their last tokens predict */
  async together(runs: readonly PromptRun[]): Promise<Predictions> {
    const { cache } = this.#parts;
    for (const run of runs) await this.#feeds.prepare(run);
    const drafts = runs.map((run) => run.draft);
    const lengths = runs.map((run) => run.ids.length);
    const predictions = await this.#decoder.together(this.#feeds.padded(runs), lengths, drafts, cache);
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
    const { cache, embedder } = this.#parts;
    const embeds = embedder === undefined ? undefined : this.#room(tokens.length * embedder.hidden);
    if (embeds !== undefined) await embedder?.embed(tokens, embeds);
    return await this.#decoder.step({ ids: tokens, embeds, logits }, cache);
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
    this.#offers.clear();
    return scratch + prefixes.clear() + cache.trim() + (embedder?.clear() ?? 0);
  }

  async release(): Promise<void> {
    const { embedder, decoder, aside, cache, gpu, merge } = this.#parts;
    await cache.release();
    await merge?.release();
    await embedder?.release();
    await decoder.release();
    await aside?.beside.release();
    gpu?.release();
  }

  /** The decoder of this thread, on as many cores as are free. */
  get #decoder(): Decoder {
    const { decoder, aside } = this.#parts;
    return this.#aside > 0 && aside !== undefined ? aside.beside : decoder;
  }

  /** A draft that the prefix cache can read and write. */
  get #keepsPrefixes(): boolean {
    return this.#parts.cache instanceof SlotKvCache;
  }

  #open({ ids, images, keys, logits, onImagesRead }: OpeningPrompt): PromptRun {
    const { cache, prefixes } = this.#parts;
    this.#offers.give();
    const draft = cache.draft(ids.length);
    const usable = this.#mayRestore(ids, keys) ? keys : [];
    const cachedTokens = draft instanceof SlotDraft ? prefixes.restore(usable, ids.length, draft) : 0;
    return new PromptRun({ ids, images, draft, keys, cachedTokens, logits, onImagesRead });
  }

  #offer(run: PromptRun, from: number, to?: number): void {
    if (run.draft instanceof SlotDraft) this.#parts.prefixes.offer(run.keys, from, run.draft, to);
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

function countOf(token: number, ids: Int32Array): number {
  return ids.reduce((count, id) => count + Number(id === token), 0);
}
