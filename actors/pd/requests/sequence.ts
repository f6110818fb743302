/**
 * One request inside the engine, from submission to its last token: what is left to do for it, and what it holds.
 */
import { processNow } from '../../../runtime/clock.ts';
import type { FinishReason, GenerationSummary, Hop } from '../../generation.ts';
import { countTokens } from '../../model/count-tokens.ts';
import type { EngineImage, EngineRequest } from '../engine-request.ts';
import type { PromptRun } from '../runner/prompt-run.ts';
import { Sampler } from '../sampler/sampler.ts';
import type { AnswerStream } from './answer-stream.ts';
import { type IncrementalDetokenizer, StopChecker } from './stop-checker.ts';

/** Facts of the model that bound a generation. */
export interface SequenceLimits {
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  readonly eosTokenIds: readonly number[];
  readonly imageTokenId: number;
}

export class Sequence {
  readonly request: EngineRequest;
  readonly stream: AnswerStream;
  readonly sampler: Sampler;
  /** Most tokens that prompt and answer can come to. */
  readonly longest: number;
  /** The newest token, which the next decode step feeds. */
  lastToken = -1;
  /** From admission until the first token. */
  prompt: PromptRun | undefined;

  readonly #stops: StopChecker;
  readonly #imageTokens: number;
  readonly #submittedAt = processNow();
  #images: readonly EngineImage[];
  #cachedTokens = 0;
  #hops: readonly Hop[] = [];
  #prefillStart = 0;
  #prefillEnd = 0;

  constructor(
    request: EngineRequest,
    stream: AnswerStream,
    detokenizer: IncrementalDetokenizer,
    limits: SequenceLimits,
  ) {
    const { promptIds, sampling } = request.envelope;
    this.request = request;
    this.stream = stream;
    this.sampler = new Sampler(sampling, promptIds);
    this.#images = request.images;
    this.#imageTokens = countTokens(promptIds, limits.imageTokenId);
    this.longest = Math.min(promptIds.length + sampling.maxTokens, limits.contextLength);
    const maxTokens = this.longest - promptIds.length;
    const { eosTokenIds } = limits;
    this.#stops = new StopChecker({ eosTokenIds, stop: sampling.stop, maxTokens }, detokenizer);
  }

  get id(): string {
    return this.request.envelope.requestId;
  }

  get promptIds(): Int32Array {
    return this.request.envelope.promptIds;
  }

  get images(): readonly EngineImage[] {
    return this.#images;
  }

  /** By how much the position of its next token is ahead of the number of its tokens. */
  get positionShift(): number {
    const { positions, promptIds } = this.request.envelope;
    return positions === undefined ? 0 : positions.next - promptIds.length;
  }

  /** Whether the answer is read as it is made. */
  get wantsStream(): boolean {
    return this.request.envelope.wantsStream;
  }

  /** Whether a reader has seen more than the first token, and so a pace to keep. */
  get hasReader(): boolean {
    return this.wantsStream && this.#stops.generated > 1;
  }

  expired(now: number): boolean {
    return now >= this.request.envelope.deadline;
  }

  /** Gives the images back to their owner; later calls do nothing. */
  releaseImages(): void {
    const images = this.#images;
    this.#images = [];
    for (const image of images) {
      try {
        image.release();
      } catch {
        // The owner's bookkeeping failed; the other images, and the answer, do not depend on it.
      }
    }
  }

  beginPrefill(prompt: PromptRun): void {
    this.#prefillStart = processNow();
    this.#cachedTokens = prompt.cachedTokens;
    this.prompt = prompt;
  }

  endPrefill(): void {
    this.#prefillEnd = processNow();
    this.#hops = this.prompt === undefined ? [] : remoteHops(this.prompt);
    this.prompt = undefined;
  }

  /**
   * Takes a sampled token and streams its text.
   *
   * @returns true when it was the last; `stream.end` has then been called
   * @throws whatever the sink throws
   */
  accept(token: number): boolean {
    this.lastToken = token;
    const { text, counted, finished } = this.#stops.push(token);
    this.stream.write(text, counted ? token : undefined);
    if (finished === undefined) return false;
    this.stream.end(this.#summary(finished));
    return true;
  }

  #summary(finishReason: FinishReason): GenerationSummary {
    const { trace, promptIds } = this.request.envelope;
    return {
      choices: [{ finishReason, completionTokens: this.#stops.generated }],
      usage: {
        promptTokens: promptIds.length,
        imageTokens: this.#imageTokens,
        cachedTokens: this.#cachedTokens,
        completionTokens: this.#stops.generated,
      },
      trace: {
        ...trace,
        hops: [...trace.hops, ...this.#hops],
        queueMs: trace.queueMs + this.#prefillStart - this.#submittedAt,
      },
      prefillMs: this.#prefillEnd - this.#prefillStart,
      decodeMs: processNow() - this.#prefillEnd,
    };
  }
}

/** Image embeddings that another actor was handed in the prompt's parts. */
function remoteHops({ imageTokensRemote, embeds, ids }: PromptRun): Hop[] {
  if (imageTokensRemote === 0 || embeds === undefined) return [];
  const bytesCopied = imageTokensRemote * (embeds.byteLength / ids.length);
  return [{ from: 'pd', to: 'prefill', kind: 'embeddings', bytesMoved: 0, bytesCopied }];
}
