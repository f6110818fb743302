/** What prompts are fed to the decoder as: their embeddings with images merged, cut into parts or put together. */
import { runFor } from '../../inference/run-for.ts';
import { countTokens } from '../../model/count-tokens.ts';
import { imageTokensMismatch } from '../engine-errors.ts';
import type { Decoder, TokenFeed } from './decoder.ts';
import type { GpuImageMerge } from './gpu-image-merge.ts';
import { furtherLayers, mergeImages } from './image-merge.ts';
import type { PromptRun } from './prompt-run.ts';
import type { TokenEmbedder } from './token-embedder.ts';

export interface PromptFeedsParts {
  readonly decoder: Decoder;
  /** Absent when the decoder takes token ids. */
  readonly embedder: TokenEmbedder | undefined;
  readonly merge?: GpuImageMerge | undefined;
  readonly imageTokenId: number;
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
      if (run.done === 0) this.#checkImages(run);
      else run.imagesRead();
    }
    if (embedder === undefined || run.embeds !== undefined) return;
    const embeds = new Float32Array(run.ids.length * embedder.hidden);
    await runFor(run.requestId, () => embedder.embed(run.ids, embeds));
    if (this.mergesOnGpu(run)) this.#checkImages(run);
    else if (!decoder.takesPixels) {
      mergeImages(embeds, run.ids, imageTokenId, embedder.hidden, run.images);
      run.deepstack = Array.from({ length: furtherLayers(run.images) }, (_, layer) => {
        const added = new Float32Array(embeds.length);
        mergeImages(added, run.ids, imageTokenId, embedder.hidden, run.images, layer + 1);
        return added;
      });
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
    const positions = partOfAxes(run.positions, run.ids.length, from, to);
    const tokenTypes = run.groups?.subarray(from, to);
    const deepstack =
      run.deepstack.length === 0
        ? undefined
        : run.deepstack.map((added) => added.subarray(from * hidden, to * hidden));
    const { requestId } = run;
    const tokens = { ids, logits, requestId, positions, tokenTypes, deepstack };
    if (merge === undefined || embeds === undefined || !this.mergesOnGpu(run)) {
      return await use({ ...tokens, embeds });
    }
    const merged = await merge.merge(embeds, run.ids, imageTokenId, run.images, from, to);
    try {
      return await use({ ...tokens, embeds: merged });
    } finally {
      merge.dispose(merged);
    }
  }

  /** Prepared prompts under each other, `[runs, longest]`, filled up on the left with tokens that nobody reads. */
  padded(runs: readonly PromptRun[]): TokenFeed {
    const width = Math.max(...runs.map(({ ids }) => ids.length));
    const hidden = this.#parts.embedder?.hidden;
    const size = runs.length * width;
    const ids = new Int32Array(size);
    const embeds = hidden === undefined ? undefined : new Float32Array(size * hidden);
    const axes = Math.max(...runs.map((run) => (run.positions?.length ?? 0) / run.ids.length));
    const positions = axes === 0 ? undefined : new Int32Array(axes * size);
    const tokenTypes = runs.some(({ groups }) => groups !== undefined) ? new Int32Array(size) : undefined;
    const layers = Math.max(...runs.map(({ deepstack }) => deepstack.length));
    const deepstack = Array.from({ length: layers }, () => new Float32Array(size * (hidden ?? 0)));
    for (const [row, run] of runs.entries()) {
      const start = (row + 1) * width - run.ids.length;
      ids.set(run.ids, start);
      if (run.embeds !== undefined) embeds?.set(run.embeds, start * (hidden ?? 0));
      for (let axis = 0; axis < axes; axis++) placeRow(positions, axis * size + start, run, axis);
      if (run.groups !== undefined) tokenTypes?.set(run.groups, start);
      for (const [layer, added] of run.deepstack.entries())
        deepstack[layer]?.set(added, start * (hidden ?? 0));
    }
    const logits = runs.some((run) => run.logits);
    return { ids, embeds, logits, positions, tokenTypes, ...(layers === 0 ? {} : { deepstack }) };
  }

  /** A graph that merges the images itself would not say which request was wrong. */
  #checkImages({ ids, images }: PromptRun): void {
    const inPrompt = countTokens(ids, this.#parts.imageTokenId);
    const brought = images.reduce((sum, image) => sum + image.tokens, 0);
    if (inPrompt !== brought) throw imageTokensMismatch(inPrompt, brought);
  }
}

/** Tokens `from` to `to` of each axis of `[axes, length]`. */
function partOfAxes(
  positions: Int32Array | undefined,
  length: number,
  from: number,
  to: number,
): Int32Array | undefined {
  if (positions === undefined) return undefined;
  const axes = positions.length / length;
  const part = new Int32Array(axes * (to - from));
  for (let axis = 0; axis < axes; axis++) {
    part.set(positions.subarray(axis * length + from, axis * length + to), axis * (to - from));
  }
  return part;
}

/** One axis of a prompt's positions, from `at` on; 0, 1, 2 … for a prompt without images. */
function placeRow(
  target: Int32Array | undefined,
  at: number,
  { ids, positions }: PromptRun,
  axis: number,
): void {
  const { length } = ids;
  if (positions !== undefined) target?.set(positions.subarray(axis * length, (axis + 1) * length), at);
  else
    target?.set(
      Int32Array.from({ length }, (_, i) => i),
      at,
    );
}
