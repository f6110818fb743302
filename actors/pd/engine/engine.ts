/**
 * The prefill/decode engine: continuous batching of many generations over one language model, in one thread.
 *
 *     submit ─▶ waiting ─▶ prefill ─▶ running ─▶ last token ─▶ draining ─▶ finish
 *                  └──────────┴──────────┴── cancel, deadline, failure ──▶ fail
 *
 * This file is the engine's door; the loop is `engine-core.ts`. The owner calls `step` as long as `hasWork`.
 */
import { ConstraintEngine } from '../../constraint/constraint-engine.ts';
import { readVocabulary } from '../../constraint/matcher/read-vocabulary.ts';
import { Detokenizer } from '../../model/detokenizer.ts';
import type { ModelDirectory } from '../../model/model-directory.ts';
import { TokenDecoder } from '../../model/token-decoder.ts';
import { tooManyChoices } from '../../too-many-choices.ts';
import * as failures from '../engine-errors.ts';
import type { EngineRequest } from '../engine-request.ts';
import { AnswerStream } from '../requests/answer-stream.ts';
import type { GenerationSink } from '../requests/generation-sink.ts';
import { Scheduler, type SchedulerLimits } from '../requests/scheduler.ts';
import { Sequence, type SequenceLimits, type SequenceTokens } from '../requests/sequence.ts';
import type { LoadGraphsOptions } from '../runner/graph-parts.ts';
import { ModelRunner } from '../runner/model-runner.ts';
import { PrefillPacer } from '../runner/prefill-pacer.ts';
import type { Costs } from '../speculation/run-costs.ts';
import { Speculation } from '../speculation/speculation.ts';
import { DEFAULT_DRAFT_TOKENS, type SpeculationOptions } from '../speculation/speculation-options.ts';
import { EngineCore } from './engine-core.ts';
import { PdCounters, type PdStats } from './pd-stats.ts';

export interface EngineOptions extends SchedulerLimits, SpeculationOptions {
  /**
   * Prompt tokens that a step may run. More fills the batch sooner, less keeps the running answers smoother. Default:
   * by what is measured, see `prefill-pacer.ts`.
   */
  readonly prefillTokensPerStep?: number | undefined;
  /** By which it is decided whether drafts pay. Default: what is measured. */
  readonly costs?: Costs | undefined;
}

export interface EngineLoadOptions extends EngineOptions, LoadGraphsOptions {
  /** Memory for what is found out about constraints, bytes. Default: 64 MiB. */
  readonly constraintCacheBytes?: number;
}

export interface EngineModel extends SequenceLimits, SequenceTokens {
  readonly runner: ModelRunner<Sequence>;
  /** Absent where requests bring matchers of their own. */
  readonly constraints?: ConstraintEngine;
}

export class PdEngine {
  readonly #model: EngineModel;
  readonly #scheduler: Scheduler;
  readonly #counters = new PdCounters();
  readonly #core: EngineCore;
  readonly #speculation: Speculation | undefined;
  /** Every answer that is not settled, draining ones included. */
  readonly #streams = new Set<AnswerStream>();
  /** Work on the caches that was asked for during a step. */
  readonly #afterStep: (() => void)[] = [];
  #currentStep: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  constructor(model: EngineModel, options: EngineOptions) {
    this.#model = model;
    const { budget } = model.runner;
    this.#scheduler = new Scheduler(options, (lengths) => budget.holds(lengths));
    this.#speculation = speculationOf(model, options);
    this.#core = new EngineCore({
      speculation: this.#speculation,
      scheduler: this.#scheduler,
      runner: model.runner,
      counters: this.#counters,
      pacer: new PrefillPacer(options.prefillTokensPerStep, model.runner.promptRuns),
    });
  }

  /** @throws ModelError when the model's files cannot be loaded */
  static async load(directory: ModelDirectory, options: EngineLoadOptions): Promise<PdEngine> {
    const tokens = await TokenDecoder.load(directory);
    const { contextLength, eosTokenIds, imageTokenId } = directory.geometry;
    const runner = await ModelRunner.load<Sequence>(directory, options);
    const vocabulary = await readVocabulary(directory);
    const newDetokenizer = (controls?: readonly string[]) =>
      new Detokenizer(tokens, vocabulary.controlsOf(controls));
    const constraints = new ConstraintEngine(vocabulary, options.constraintCacheBytes);
    const describe = (id: number) => tokens.describe(id);
    const limits = { contextLength, eosTokenIds, imageTokenId };
    return new PdEngine({ runner, newDetokenizer, describe, constraints, ...limits }, options);
  }

  /**
   * Takes a request; from here on its sink hears of it, and only its sink. Its images are released in every case.
   * A full queue fails it with `MAILBOX_FULL`: await `roomToSubmit` first.
   */
  submit(request: EngineRequest, sink: GenerationSink): void {
    const { requestId } = request.envelope;
    const stream: AnswerStream = new AnswerStream(request.envelope, sink, (error) => {
      this.#streams.delete(stream);
      this.#counters.countEnd(error);
      sequence.releaseImages();
    });
    const { constraint } = request.envelope;
    const { constraints } = this.#model;
    const newMatcher =
      constraint === undefined || constraints === undefined
        ? request.newMatcher
        : () => constraints.matcher(constraint.grammar);
    const sequence = new Sequence({ ...request, newMatcher }, stream, this.#model, this.#model);
    this.#streams.add(stream);
    if (sequence.replay()) return;
    const refusal = this.#refusal(sequence);
    if (refusal !== undefined) stream.fail(refusal);
    else if (!this.#scheduler.enqueue(sequence)) {
      stream.fail(failures.queueFull(requestId, this.#scheduler.limits.maxWaiting));
    }
  }

  /**
   * Resolves when `submit` will find room, for one caller per place and in order; submit in the same turn.
   *
   * @param choices answers that the request wants
   * @throws the signal's reason, when it aborts before
   */
  roomToSubmit(choices = 1, signal?: AbortSignal): Promise<void> {
    return this.#scheduler.roomToEnqueue(choices, signal);
  }

  /** Whether `submit` would find room now. */
  get hasRoom(): boolean {
    return this.#scheduler.hasRoom;
  }

  /** Answers that run or whose prompt is run, and those that wait to be admitted. */
  get load(): { readonly admitted: number; readonly waiting: number } {
    const { admitted, queued } = this.#scheduler;
    return { admitted, waiting: queued };
  }

  /** Answers that have their first token, and go on. */
  get answering(): number {
    return this.#scheduler.running.length;
  }

  /** Those that have not: prompts that wait, or are being run. */
  get prompting(): number {
    return this.#scheduler.queued + this.#scheduler.prefilling.length;
  }

  /** True while a `step` has something to do. Draining answers wait for their consumers, not for steps. */
  get hasWork(): boolean {
    return this.load.admitted + this.load.waiting > 0;
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
    const { budget, prefixStats } = this.#model.runner;
    return {
      ...this.#counters,
      waiting: this.#scheduler.queued,
      prefilling: this.#scheduler.prefilling.length,
      running: this.#scheduler.running.length,
      draining: [...this.#streams].filter((stream) => stream.draining).length,
      kvBytes: this.#model.runner.kvBytes,
      kvBudgetBytes: budget.tokens * budget.bytesPerToken,
      prefixCache: prefixStats,
    };
  }

  /** Drops memory that no running sequence needs; resolves to the bytes freed, after the current step if any. */
  clearCaches(): Promise<number> {
    return new Promise((resolve) => {
      const trim = () => resolve(this.#model.runner.trim() + (this.#speculation?.clear() ?? 0));
      if (this.#currentStep === undefined) trim();
      else this.#afterStep.push(trim);
    });
  }

  /** To be called between steps, now and then: gives back memory that answers have not needed since it was called last. */
  settle(): void {
    this.#model.runner.settle();
  }

  /** Gives back the memory that ended answers leave behind; nothing while there is work. */
  trimIdle(): void {
    if (!this.hasWork && this.#currentStep === undefined) this.#model.runner.trimSequences();
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

  #refusal({ id, promptIds, longest, choices }: Sequence): Error | undefined {
    const { contextLength, runner } = this.#model;
    if (this.#disposed !== undefined) return failures.engineStopped(id);
    if (promptIds.length === 0) return failures.emptyPrompt(id);
    if (promptIds.length >= contextLength) return failures.promptTooLong(promptIds.length, contextLength);
    const { maxRunning } = this.#scheduler.limits;
    if (choices.length > maxRunning) return tooManyChoices(choices.length, maxRunning);
    if (!runner.budget.holds(choices.map(() => longest))) {
      return failures.neverFits(
        promptIds.length,
        longest,
        choices.length,
        runner.budget.longestOf(choices.length),
      );
    }
    return undefined;
  }
}

/** Undefined where it is not wanted, and where the graph or the cache of keys and values cannot serve it. */
function speculationOf(
  { runner, imageTokenId }: EngineModel,
  { speculation = 'off', maxDraftTokens = DEFAULT_DRAFT_TOKENS, costs }: EngineOptions,
): Speculation | undefined {
  if (speculation === 'off' || !runner.verifies) return undefined;
  return new Speculation({ mostTokens: maxDraftTokens, shares: speculation === 'auto', imageTokenId, costs });
}
