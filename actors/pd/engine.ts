/**
 * The prefill/decode engine: continuous batching of many generations over one language model, in one thread.
 *
 *     submit ─▶ waiting ─▶ prefill ─▶ running ─▶ last token ─▶ draining ─▶ finish
 *                  └──────────┴──────────┴── cancel, deadline, failure ──▶ fail
 *
 * This file is the engine's door; the loop is `engine-core.ts`. The owner calls `step` as long as `hasWork`.
 */
import { Detokenizer } from '../model/detokenizer.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { AnswerStream } from './answer-stream.ts';
import { EngineCore } from './engine-core.ts';
import * as failures from './engine-errors.ts';
import type { EngineRequest } from './engine-request.ts';
import type { GenerationSink } from './generation-sink.ts';
import { ModelRunner } from './model-runner.ts';
import { PdCounters, type PdStats } from './pd-stats.ts';
import { Scheduler, type SchedulerLimits } from './scheduler.ts';
import { Sequence, type SequenceLimits } from './sequence.ts';
import type { IncrementalDetokenizer } from './stop-checker.ts';

export interface EngineOptions extends SchedulerLimits {
  /**
   * Prompts are run, one after the other, until a step has spent this many tokens on them; the first one always
   * runs. More fills the batch sooner, less keeps the running answers smoother. Default 256.
   */
  readonly prefillTokensPerStep?: number;
}

export interface EngineLoadOptions extends EngineOptions {
  /** Threads of one graph operator, the calling thread included; ≥ 1. */
  readonly threads: number;
}

export interface EngineModel extends SequenceLimits {
  readonly runner: ModelRunner;
  newDetokenizer(): IncrementalDetokenizer;
}

const DEFAULT_PREFILL_TOKENS = 256;

export class PdEngine {
  readonly #model: EngineModel;
  readonly #scheduler: Scheduler;
  readonly #counters = new PdCounters();
  readonly #core: EngineCore;
  /** Every answer that is not settled, draining ones included. */
  readonly #streams = new Set<AnswerStream>();
  /** Work on the caches that was asked for during a step. */
  readonly #afterStep: (() => void)[] = [];
  #currentStep: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  constructor(model: EngineModel, options: EngineOptions) {
    this.#model = model;
    this.#scheduler = new Scheduler(options);
    this.#core = new EngineCore({
      scheduler: this.#scheduler,
      runner: model.runner,
      counters: this.#counters,
      prefillTokensPerStep: options.prefillTokensPerStep ?? DEFAULT_PREFILL_TOKENS,
    });
  }

  /** @throws ModelError when the model's files cannot be loaded */
  static async load(directory: ModelDirectory, options: EngineLoadOptions): Promise<PdEngine> {
    const tokenizer = await TextTokenizer.load(directory);
    const { contextLength, eosTokenIds, imageTokenId } = directory.geometry;
    const runner = await ModelRunner.load(directory, options.threads);
    const newDetokenizer = () => new Detokenizer(tokenizer);
    return new PdEngine({ runner, newDetokenizer, contextLength, eosTokenIds, imageTokenId }, options);
  }

  /**
   * Takes a request; from here on its sink hears of it, and only its sink. Its images are released in every case.
   * A full queue fails it with `MAILBOX_FULL`: await `roomToSubmit` first.
   */
  submit(request: EngineRequest, sink: GenerationSink): void {
    const { requestId, promptIds } = request.envelope;
    const stream: AnswerStream = new AnswerStream(requestId, sink, (error) => {
      this.#streams.delete(stream);
      this.#counters.countEnd(error);
      sequence.releaseImages();
    });
    const sequence = new Sequence(request, stream, this.#model.newDetokenizer(), this.#model);
    this.#streams.add(stream);
    const refusal = this.#refusal(requestId, promptIds.length);
    if (refusal !== undefined) stream.fail(refusal);
    else if (!this.#scheduler.enqueue(sequence)) {
      stream.fail(failures.queueFull(requestId, this.#scheduler.limits.maxWaiting));
    }
  }

  /**
   * Resolves when `submit` will find room, for one caller per place and in order; submit in the same turn.
   *
   * @throws the signal's reason, when it aborts before
   */
  roomToSubmit(signal?: AbortSignal): Promise<void> {
    return this.#scheduler.roomToEnqueue(signal);
  }

  /** Whether `submit` would find room now. */
  get hasRoom(): boolean {
    return this.#scheduler.hasRoom;
  }

  /** True while a `step` has something to do. Draining answers wait for their consumers, not for steps. */
  get hasWork(): boolean {
    return this.#scheduler.waiting.length > 0 || this.#scheduler.running.length > 0;
  }

  /** One round for everybody. Never rejects on account of a request; a call during a step joins that step. */
  step(): Promise<void> {
    if (this.#disposed !== undefined) return this.#disposed;
    this.#currentStep ??= this.#core.step().finally(() => {
      this.#currentStep = undefined;
      for (const work of this.#afterStep.splice(0)) work();
    });
    return this.#currentStep;
  }

  stats(): PdStats {
    return {
      ...this.#counters,
      waiting: this.#scheduler.waiting.length,
      running: this.#scheduler.running.length,
      draining: [...this.#streams].filter((stream) => stream.draining).length,
      kvBytes: this.#model.runner.kvBytes,
    };
  }

  /** Drops memory that no running sequence needs; resolves to the bytes freed, after the current step if any. */
  clearCaches(): Promise<number> {
    return new Promise((resolve) => {
      const trim = () => resolve(this.#model.runner.trim());
      if (this.#currentStep === undefined) trim();
      else this.#afterStep.push(trim);
    });
  }

  /** Fails whatever is open with `ACTOR_STOPPED`, lets the current step end, and frees the model. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#shutDown();
    return this.#disposed;
  }

  async #shutDown(): Promise<void> {
    for (const stream of this.#streams) stream.fail(failures.engineStopped(stream.requestId));
    await this.#currentStep;
    await this.#model.runner.release();
  }

  #refusal(requestId: string, promptTokens: number): Error | undefined {
    const { contextLength } = this.#model;
    if (this.#disposed !== undefined) return failures.engineStopped(requestId);
    if (promptTokens === 0) return failures.emptyPrompt(requestId);
    if (promptTokens >= contextLength) return failures.promptTooLong(promptTokens, contextLength);
    return undefined;
  }
}
