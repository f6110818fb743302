/** What prompts are fed to the decoder as: their embeddings with images merged, cut into parts or put together. */
import { runFor } from '../../inference/run-for.ts';
import { countTokens } from '../../model/count-tokens.ts';
import { imageTokensMismatch } from '../engine-errors.ts';
import type { Decoder, TokenFeed } from './decoder.ts';
import type { GpuImageMerge } from './gpu-image-merge.ts';
import { mergeImages } from './image-merge.ts';
import type { PromptRun } from './prompt-run.ts';
import type { TokenEmbedder } from './token-embedder.ts';

export interface PromptFeedsParts {
  readonly decoder: Decoder;
  /** Absent when the decoder takes token ids. */
  readonly embedder: TokenEmbedder | undefined;
  readonly merge?: GpuImageMerge | undefined;
  readonly imageTokenId: number;
  readonly imageTokensPerTile: number;
}

export class PromptFeeds {
  readonly #parts: PromptFeedsParts;

  constructor(parts: PromptFeedsParts) {
    this.#parts = parts;
  }

  /** True while image tokens are to be run in a graph that encodes images itself, and so takes them all at once. */
  needsPixels(run: PromptRun): boolean {
    const { decoder, imageTokenId } = this.#parts;
    return decoder.takesPixels && run.ids.lastIndexOf(imageTokenId) >= run.done;
  }

  /**
   * Computes the prompt's embeddings, images merged; once.
   *
   * @throws TroupeError `IMAGE_TOKENS_MISMATCH`, `MODEL_RUN_FAILED`
   */
  async prepare(run: PromptRun): Promise<void> {
    const { decoder, embedder, imageTokenId } = this.#parts;
    if (decoder.takesPixels) {
      if (run.done === 0) this.#checkTiles(run);
      else run.imagesRead();
    }
    if (embedder === undefined || run.embeds !== undefined) return;
    const embeds = new Float32Array(run.ids.length * embedder.hidden);
    await runFor(run.requestId, () => embedder.embed(run.ids, embeds));
    if (this.mergesOnGpu(run)) this.#checkTiles(run);
    else if (!decoder.takesPixels) {
      mergeImages(embeds, run.ids, imageTokenId, embedder.hidden, run.images);
      run.imagesRead();
    }
    run.embeds = embeds;
  }

  /** True when the images' embeddings lie on the GPU: they are then merged with each part of the prompt. */
  mergesOnGpu({ images }: PromptRun): boolean {
    return images.some(({ onGpu }) => onGpu !== undefined);
  }

  /** Calls `use` with tokens `from` to `to` of a prepared prompt, no copy; what was merged for it is then freed. */
  async withPart<T>(
    run: PromptRun,
    from: number,
    to: number,
    use: (tokens: TokenFeed) => Promise<T>,
  ): Promise<T> {
    const { embedder, merge, imageTokenId } = this.#parts;
    const hidden = embedder?.hidden ?? 0;
    const ids = run.ids.subarray(from, to);
    const logits = run.logits && to === run.ids.length;
    const embeds = run.embeds?.subarray(from * hidden, to * hidden);
    const { requestId } = run;
    if (merge === undefined || embeds === undefined || !this.mergesOnGpu(run)) {
      return await use({ ids, embeds, logits, requestId });
    }
    const merged = await merge.merge(embeds, run.ids, imageTokenId, run.images, from, to);
    try {
      return await use({ ids, embeds: merged, logits, requestId });
    } finally {
      merge.dispose(merged);
    }
  }

  /** Prepared prompts under each other, `[runs, longest]`, filled up on the left with tokens that nobody reads. */
  padded(runs: readonly PromptRun[]): TokenFeed {
    const width = Math.max(...runs.map(({ ids }) => ids.length));
    const hidden = this.#parts.embedder?.hidden;
    const ids = new Int32Array(runs.length * width);
    const embeds = hidden === undefined ? undefined : new Float32Array(ids.length * hidden);
    for (const [row, run] of runs.entries()) {
      const start = (row + 1) * width - run.ids.length;
      ids.set(run.ids, start);
      if (run.embeds !== undefined) embeds?.set(run.embeds, start * (hidden ?? 0));
    }
    return { ids, embeds, logits: runs.some(({ logits }) => logits) };
  }

  /** A graph that merges the images itself would not say which request was wrong. */
  #checkTiles({ ids, images }: PromptRun): void {
    const { imageTokenId, imageTokensPerTile } = this.#parts;
    const imageTokens = countTokens(ids, imageTokenId);
    const tiles = images.reduce((sum, image) => sum + (image.shape[0] ?? 0), 0);
    if (imageTokens !== tiles * imageTokensPerTile) {
      throw imageTokensMismatch(imageTokens, tiles * imageTokensPerTile);
    }
  }
}
