/**
 * The forward passes of the language model: prompts in parts or several at once, one token of every running sequence.
 * It owns the graphs, the KV cache and the prefix cache, and knows nothing of requests, queues or sampling.
 */
import { runFor } from '../../inference/run-for.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
import type { KvBudget } from '../kv-cache/kv-budget.ts';
import type { PrefixCacheStats } from '../prefix-cache/prefix-cache.ts';
import type { Decoder } from './decoder.ts';
import type { LoadGraphsOptions } from './graph-parts.ts';
import { loadGraphs } from './load-graphs.ts';
import type { ModelRunnerParts } from './model-runner-parts.ts';
import type { Predictions } from './predictions.ts';
import { CPU_PROMPT_RUNS, type PromptRuns } from './prefill-pacer.ts';
import { PromptFeeds } from './prompt-feeds.ts';
import { type NewPrompt, PromptOpener } from './prompt-opener.ts';
import type { PromptRun } from './prompt-run.ts';
import { RemotePrefill } from './remote-prefill.ts';

/** What a run of several tokens of one row said. */
export interface VerifyingRun {
  /** What follows each token, token by token. */
  readonly predictions: Predictions;
  /** Takes the last `count` tokens out of the row; to be called before anything else changes the cache. */
  forget(count: number): void;
}

const NO_SHIFTS = new Int32Array(0);

/** @typeParam Owner whose a prompt is: what callers hand over with it, and get back */
export class ModelRunner<Owner = unknown> {
  readonly #parts: ModelRunnerParts;
  /** Where another actor helps with prompts. It is given only prompts that may be cut. */
  readonly remote: RemotePrefill<Owner> | undefined;
  readonly #feeds: PromptFeeds;
  readonly #prompts: PromptOpener;
  #scratch = new Float32Array(0);

  constructor(parts: ModelRunnerParts) {
    const { help, imageTokenId } = parts;
    this.#parts = parts;
    this.#feeds = new PromptFeeds(parts);
    this.#prompts = new PromptOpener(parts);
    const shared = { feeds: this.#feeds, prompts: this.#prompts, imageTokenId };
    this.remote = help === undefined ? undefined : new RemotePrefill({ help, ...shared });
  }

  /** @throws ModelError when a graph cannot be loaded or is of an unknown kind */
  static async load<Owner = unknown>(
    directory: ModelDirectory,
    options: LoadGraphsOptions,
  ): Promise<ModelRunner<Owner>> {
    return new ModelRunner<Owner>(await loadGraphs(directory, options));
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
   * @param prompt `logits`: whether those of the last token are wanted, and not the likeliest one alone
   */
  begin(prompt: NewPrompt): PromptRun {
    return this.#prompts.begin(prompt);
  }

  /** A prompt anew, for this thread alone: whoever failed to run a part of it may still be writing to its memory. */
  again(run: PromptRun): PromptRun {
    return this.#prompts.again(run);
  }

  /** Whether this prompt can share a run with others: all of it is still to be run, and it needs no pixels. */
  joinsOthers(run: PromptRun): boolean {
    const { cache } = this.#parts;
    return cache.batchedPrefill && cache.chunked && run.done === 0 && !this.#feeds.needsPixels(run);
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
    const to = this.mayBeCut(run) ? run.partEnd(part) : run.ids.length;
    await this.#feeds.prepare(run);
    const predictions = await this.#feeds.withPart(run, from, to, (tokens) =>
      this.#promptDecoder(to - from).extend(tokens, run.images, run.kv, cache),
    );
    if (run.left === 0 || !this.#feeds.mergesOnGpu(run)) run.imagesRead();
    this.#prompts.keep(run, from);
    return run.left === 0 ? predictions : undefined;
  }

  /** Keeps blocks of prompts that were run elsewhere: one block of each, or all. */
  keepPrefixes(all: boolean): void {
    this.#prompts.keepLate(all);
  }

  /** Runs several prompts whole, in one run; see `joinsOthers`. @returns what their last tokens predict */
  async prefillBatch(runs: readonly PromptRun[]): Promise<Predictions> {
    const { cache } = this.#parts;
    for (const run of runs) await this.#feeds.prepare(run);
    const kvs = runs.map((run) => run.kv);
    const lengths = runs.map((run) => run.ids.length);
    const decoder = this.#promptDecoder(lengths.reduce((sum, length) => sum + length, 0));
    const predictions = await decoder.prefillBatch(this.#feeds.padded(runs), lengths, kvs, cache);
    for (const run of runs) {
      run.imagesRead();
      this.#prompts.keep(run, 0);
    }
    return predictions;
  }

  /** Makes a complete prompt the cache's last row, or so many of them. */
  join(run: PromptRun, rows = 1): void {
    this.#parts.cache.join(run.kv, rows);
  }

  /** Forgets a prompt that will not be a row. */
  drop(run: PromptRun): void {
    this.#parts.cache.drop(run.kv);
  }

  /**
   * Runs one token per row of the cache. On failure the cache is as before.
   *
   * @param shifts by how much each row's next position is ahead of its length. Default none
   * @param logits whether they are wanted, and not the likeliest tokens alone
   * @param requestId whose the only row is, to be blamed for a run that never ends
   */
  async decode(
    tokens: Int32Array,
    logits = true,
    shifts = NO_SHIFTS,
    requestId?: string,
  ): Promise<Predictions> {
    const { cache } = this.#parts;
    const embeds = await this.#embedded(tokens, requestId);
    return await this.#stepDecoder.step({ ids: tokens, embeds, logits, requestId }, cache, shifts);
  }

  /** Whether several tokens of a row can be run at once. */
  get runsAhead(): boolean {
    return this.rows > 0 && this.#extendsRows;
  }

  /**
   * Runs several tokens of one row, which then is ahead of the others. On failure the cache is as before.
   *
   * @param logits whether those of the last are wanted
   * @param shift by how much the row's next position is ahead of its length
   * @returns what the last of them predicts, in row 0
   */
  async runAhead(
    row: number,
    tokens: Int32Array,
    logits: boolean,
    shift: number,
    requestId: string,
  ): Promise<Predictions> {
    const { cache } = this.#parts;
    const kv = cache.rowKv(row);
    if (kv === undefined) throw new TypeError('This cache takes one token of a row at a time');
    const embeds = await this.#embedded(tokens, requestId);
    return await this.#decoder.extend({ ids: tokens, embeds, logits, requestId }, [], kv, cache, shift);
  }

  /** Whether a run of several tokens of a row can say what follows each, and be taken back in part. */
  get verifies(): boolean {
    return this.#parts.decoder.predictsEach && this.#extendsRows;
  }

  /** Not where all tokens of a run may see each other. */
  get #extendsRows(): boolean {
    const { cache, seesAhead } = this.#parts;
    return seesAhead !== 'prompt' && cache.rowKv(0) !== undefined;
  }

  /** As `runAhead`, of tokens of which some may turn out not to be the row's own. @param of as there */
  async verify(
    row: number,
    tokens: Int32Array,
    of: { readonly logits: boolean; readonly shift: number; readonly requestId: string },
  ): Promise<VerifyingRun> {
    const { cache } = this.#parts;
    const kv = cache.rowKv(row);
    if (kv === undefined) throw new TypeError('This cache takes one token of a row at a time');
    const embeds = await this.#embedded(tokens, of.requestId);
    const feed = { ids: tokens, embeds, logits: of.logits, requestId: of.requestId };
    const predictions = await this.#decoder.extend(feed, [], kv, cache, of.shift, true);
    return { predictions, forget: (count) => kv.forget(count) };
  }

  /** Frees a row of the cache; the last row moves into it. */
  remove(row: number): void {
    this.#parts.cache.remove(row);
  }

  /** To be called after a sequence whose numbers were not finite has left. */
  scrub(): void {
    // Its prompt may have been kept; which blocks are sound is not worth finding out.
    this.#prompts.clear();
    this.#parts.cache.scrub(); // also what that handed on
  }

  /** Gives back memory that no running sequence needs; returns the bytes freed. */
  trim(): number {
    const { cache, embedder } = this.#parts;
    const scratch = this.#scratch.byteLength;
    this.#scratch = new Float32Array(0);
    return scratch + this.#prompts.clear() + cache.trim() + (embedder?.clear() ?? 0);
  }

  /** See `KvCache.settle`. */
  settle(): void {
    this.#parts.cache.settle();
  }

  /** Gives back the memory of keys and values that running sequences do not need; what is kept of prompts stays. */
  trimSequences(): void {
    this.#parts.cache.trim();
  }

  async release(): Promise<void> {
    const { embedder, decoder, prompts, help, wide, cache, gpu, merge } = this.#parts;
    await cache.release();
    await merge?.release();
    await embedder?.release();
    await decoder.release();
    await prompts?.release();
    await help?.localDecoder.release();
    await help?.localPrompts?.release();
    await wide?.decoder.release();
    gpu?.release();
  }

  /** Whether a prompt may be run in parts. */
  mayBeCut(run: PromptRun): boolean {
    const { cache, seesAhead } = this.#parts;
    return cache.chunked && seesAhead !== 'prompt' && !this.#feeds.needsPixels(run);
  }

  /** On as many cores as are free. */
  get #decoder(): Decoder {
    return this.remote?.localDecoder ?? this.#parts.decoder;
  }

  get #stepDecoder(): Decoder {
    const { wide } = this.#parts;
    return wide?.takes(1) === true ? wide.decoder : this.#decoder;
  }

  /** @param tokens of the run */
  #promptDecoder(tokens: number): Decoder {
    const { wide, prompts, decoder } = this.#parts;
    const beside = this.remote?.localPrompts;
    if (beside !== undefined) return beside;
    return wide?.takes(tokens) === true ? wide.decoder : (prompts ?? decoder);
  }

  /** Good until the next call. */
  async #embedded(tokens: Int32Array, requestId: string | undefined): Promise<Float32Array | undefined> {
    const { embedder } = this.#parts;
    if (embedder === undefined) return undefined;
    const embeds = this.#room(tokens.length * embedder.hidden);
    await runFor(requestId, () => embedder.embed(tokens, embeds));
    return embeds;
  }

  #room(length: number): Float32Array {
    if (length > this.#scratch.length) {
      this.#scratch = new Float32Array(Math.max(length, 2 * this.#scratch.length));
    }
    return this.#scratch.subarray(0, length);
  }
}
