/**
 * One request inside the engine, from submission to the last token of its answers: what is left to do for it, and what it
 * holds. Its prompt is run once; behind it each of its answers is a row of the batch, see `choice.ts`.
 */
import { processNow } from '../../../runtime/clock.ts';
import type { GenerationSummary, Hop, TopLogprob } from '../../generation.ts';
import { countTokens } from '../../model/count-tokens.ts';
import type { EngineImage, EngineRequest } from '../engine-request.ts';
import type { PromptRun } from '../runner/prompt-run.ts';
import type { AnswerStream } from './answer-stream.ts';
import { Choice } from './choice.ts';
import type { IncrementalDetokenizer } from './stop-checker.ts';

/** Facts of the model that bound a generation. */
export interface SequenceLimits {
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  readonly eosTokenIds: readonly number[];
  readonly imageTokenId: number;
}

/** How tokens become text. */
export interface SequenceTokens {
  /** @param controls texts of control tokens that the answer may have */
  newDetokenizer(controls: readonly string[] | undefined): IncrementalDetokenizer;
  /** Text and bytes of a token by itself. */
  describe(id: number): Omit<TopLogprob, 'logprob'>;
}

export class Sequence {
  readonly request: EngineRequest;
  readonly stream: AnswerStream;
  /** Its answers. */
  readonly choices: readonly Choice[];
  /** Most tokens that prompt and answer can come to. */
  readonly longest: number;
  /** From admission until the first token. */
  prompt: PromptRun | undefined;
  /** Its rows hold numbers that are not finite. */
  unsound = false;

  /** Tokens of the prompt before those that are the answer's already. */
  readonly #promptLength: number;
  readonly #imageTokens: number;
  readonly #submittedAt = processNow();
  #images: readonly EngineImage[];
  #cachedTokens = 0;
  #hops: readonly Hop[] = [];
  #prefillStart = 0;
  #prefillEnd = 0;

  constructor(request: EngineRequest, stream: AnswerStream, tokens: SequenceTokens, limits: SequenceLimits) {
    const { promptIds, answerTokens = 0, sampling, constraint } = request.envelope;
    const { eosTokenIds } = limits;
    this.#promptLength = promptIds.length - answerTokens;
    this.request = request;
    this.stream = stream;
    this.#images = request.images;
    this.#imageTokens = countTokens(promptIds, limits.imageTokenId);
    this.longest = Math.min(this.#promptLength + sampling.maxTokens, limits.contextLength);
    const maxTokens = this.longest - this.#promptLength;
    this.choices = Array.from({ length: sampling.n }, (_, index) => {
      const detokenizer = tokens.newDetokenizer(constraint?.grammar.controls);
      const describe = (id: number) => tokens.describe(id);
      const of = { sequence: this, index, newMatcher: request.newMatcher };
      return new Choice({ ...of, sampling, maxTokens, eosTokenIds, detokenizer, describe });
    });
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
    return this.wantsStream && this.choices.some(({ generated }) => generated > 1);
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
   * Takes the tokens of the answer that exist already; a request that brings some has one answer.
   *
   * @returns true when the answer ends with one of them; the stream has ended then
   */
  replay(): boolean {
    const ids = this.promptIds.subarray(this.#promptLength);
    if (ids.length === 0) return false;
    const now = processNow();
    this.#prefillStart = now;
    this.#prefillEnd = now;
    return this.choices.some((choice) => choice.replay(ids));
  }

  /** One of its choices has ended; with the last one, all of it has. */
  choiceEnded(): void {
    const [first, ...others] = this.choices.flatMap(({ ended }) => ended ?? []);
    if (first === undefined || others.length + 1 < this.choices.length) return;
    this.stream.end(this.#summary([first, ...others]));
  }

  #summary(choices: GenerationSummary['choices']): GenerationSummary {
    const { trace } = this.request.envelope;
    const acceptedDraftTokens = this.choices.reduce((sum, { drafts }) => sum + drafts.accepted, 0);
    const rejectedDraftTokens = this.choices.reduce((sum, { drafts }) => sum + drafts.rejected, 0);
    const drafted = acceptedDraftTokens + rejectedDraftTokens > 0;
    return {
      choices,
      usage: {
        promptTokens: this.#promptLength,
        imageTokens: this.#imageTokens,
        cachedTokens: Math.min(this.#cachedTokens, this.#promptLength),
        completionTokens: choices.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
        ...(drafted ? { acceptedDraftTokens, rejectedDraftTokens } : {}),
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
