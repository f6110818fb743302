/**
 * The step of continuous batching, what vLLM V1 calls its engine core: drop who leaves → run prompts within a budget
 * of tokens → decode everybody → sample → stream. Requests join and leave between steps, and one request's failure is
 * its own.
 */
import { processNow } from '../../../runtime/clock.ts';
import * as failures from '../engine-errors.ts';
import type { Choice, ChosenToken } from '../requests/choice.ts';
import type { Scheduler } from '../requests/scheduler.ts';
import type { Sequence } from '../requests/sequence.ts';
import type { ModelRunner } from '../runner/model-runner.ts';
import type { Predictions } from '../runner/predictions.ts';
import type { PrefillPacer } from '../runner/prefill-pacer.ts';
import { DraftStage } from '../speculation/draft-stage.ts';
import type { Speculation } from '../speculation/speculation.ts';
import type { PdCounters } from './pd-stats.ts';
import { PromptStage } from './prompt-stage.ts';

export interface EngineCoreParts {
  readonly scheduler: Scheduler;
  readonly runner: ModelRunner<Sequence>;
  readonly counters: PdCounters;
  readonly pacer: PrefillPacer;
  /** Absent where answers do not draft themselves. */
  readonly speculation?: Speculation | undefined;
}

/** Tokens without an alternative that a step runs beside those of the batch: so long the others wait. */
const FORCED_TOKENS = 32;

/** The first of a batch waits for its second token while so many tokens of prompts are run: some seconds at most. */
const GATHERED_TOKENS = 1024;

export class EngineCore {
  readonly #scheduler: Scheduler;
  readonly #runner: ModelRunner<Sequence>;
  readonly #counters: PdCounters;
  readonly #pacer: PrefillPacer;
  readonly #prompts: PromptStage;
  readonly #speculation: Speculation | undefined;
  readonly #drafts: DraftStage | undefined;
  /** Prompt tokens run since the last decode step, while the batch fills. */
  #gathered = 0;

  constructor(parts: EngineCoreParts) {
    this.#scheduler = parts.scheduler;
    this.#runner = parts.runner;
    this.#counters = parts.counters;
    this.#pacer = parts.pacer;
    const { speculation } = parts;
    this.#speculation = speculation;
    this.#drafts =
      speculation &&
      new DraftStage({
        ...parts,
        speculation,
        sample: (choice, predictions, row) => this.#sample(choice, predictions, row),
        remove: (choice, row) => this.#removeRow(choice, row),
      });
    this.#prompts = new PromptStage({
      ...parts,
      isOver: (sequence) => this.#isOver(sequence),
      start: (sequence, predictions, row) => this.#start(sequence, predictions, row),
    });
  }

  async step(): Promise<void> {
    this.#dropLeavers();
    const tokens = await this.#prompts.run();
    if (tokens === 0 || !this.#gathers(tokens)) {
      this.#gathered = 0;
      if ((await this.#drafts?.run()) !== true) {
        await this.#runForced();
        await this.#decodeRunning();
      }
    }
    this.#runner.keepPrefixes(!this.#isRead);
  }

  /** Whether a reader has a pace to keep. */
  get #isRead(): boolean {
    return this.#scheduler.running.some(({ sequence }) => sequence.hasReader);
  }

  /**
   * Whether decoding waits for more prompts: a batch that fills first decodes all of them in the steps that it would
   * spend on a few. Only while no reader has a pace to keep, and for so many tokens at most.
   */
  #gathers(tokens: number): boolean {
    const { waiting, prefilling } = this.#scheduler;
    this.#gathered += tokens;
    const more = waiting.length + prefilling.length > 0;
    return more && this.#gathered < GATHERED_TOKENS && !this.#isRead;
  }

  /** Takes out who was cancelled, has expired, or lost its sink, before any compute is spent on them. */
  #dropLeavers(): void {
    this.#scheduler.dropWaiting((sequence) => this.#isOver(sequence));
    this.#prompts.dropLeavers();
    this.#keepRows(this.#scheduler.running, ({ sequence }) => !this.#isOver(sequence));
  }

  /** A prompt is complete: its choices join the batch, each with its first token. */
  #start(sequence: Sequence, predictions: Predictions, promptRow: number): void {
    const first = this.#scheduler.start(sequence);
    this.#keepRows(sequence.choices, (choice) => this.#sample(choice, predictions, promptRow), first);
  }

  /**
   * Runs what answers have to say, where there is no choice: several tokens of one row in a run of its own. Of a row in a
   * batch that pays from about as many tokens on as the batch has rows: weights are read once for as many tokens.
   */
  async #runForced(): Promise<void> {
    const { running } = this.#scheduler;
    if (!this.#runner.runsAhead) return;
    let left = FORCED_TOKENS;
    for (let row = running.length - 1; row >= 0; row--) {
      const choice = running[row];
      const forced = choice?.forced.slice(0, left) ?? [];
      if (choice === undefined || forced.length < running.length) continue;
      left -= forced.length;
      if (!(await this.#forceRow(choice, row, forced))) this.#removeRow(choice, row);
    }
  }

  /** False when the choice is over. */
  async #forceRow(choice: Choice, row: number, forced: readonly number[]): Promise<boolean> {
    const { sequence, lastToken } = choice;
    try {
      for (const id of forced) if (this.#accept(choice, choice.force(id))) return false;
      this.#counters.countForced(forced.length);
      const tokens = Int32Array.of(lastToken, ...forced);
      const { needsLogits } = choice;
      const { positionShift, id } = sequence;
      const predictions = await this.#runner.runAhead(row, tokens, needsLogits, positionShift, id);
      return this.#sample(choice, predictions, 0);
    } catch (error) {
      sequence.stream.fail(error);
      return false;
    }
  }

  async #decodeRunning(): Promise<void> {
    const batch = [...this.#scheduler.running];
    if (batch.length === 0) return;
    const predictions = await this.#decode(batch);
    this.#keepRows(
      batch,
      (choice, row) => predictions !== undefined && this.#sample(choice, predictions, row),
    );
  }

  /** Undefined when the run failed: which row broke it is unknown, so the batch goes and the engine stays. */
  async #decode(batch: readonly Choice[]): Promise<Predictions | undefined> {
    this.#counters.countDecode(batch.length);
    try {
      const startedAt = processNow();
      const tokens = Int32Array.from(batch, (choice) => choice.lastToken);
      const logits = batch.some(({ needsLogits }) => needsLogits);
      const [first] = batch;
      const alone = batch.every(({ sequence }) => sequence === first?.sequence);
      const blamed = alone ? first?.sequence.id : undefined;
      const shifts = Int32Array.from(batch, ({ sequence }) => sequence.positionShift);
      const predictions = await this.#runner.decode(tokens, logits, shifts, blamed);
      const ms = processNow() - startedAt;
      this.#pacer.noteDecode(ms);
      this.#speculation?.costs.noteDecode(batch.length, ms);
      this.#counters.notePeak(this.#runner.kvBytes);
      return predictions;
    } catch (error) {
      for (const { sequence } of batch) sequence.stream.fail(error);
      return undefined;
    }
  }

  /** Chooses and streams one token; false when the choice is over. */
  #sample(choice: Choice, predictions: Predictions, row: number): boolean {
    const { sequence } = choice;
    if (this.#isOver(sequence)) return false;
    try {
      const token = choice.choose(predictions, row);
      if (token === undefined) {
        sequence.unsound = true;
        throw failures.numericsFailed(sequence.id);
      }
      return !this.#accept(choice, token);
    } catch (error) {
      sequence.stream.fail(error);
      return false;
    }
  }

  /** True when it was the last. */
  #accept(choice: Choice, token: ChosenToken): boolean {
    const isLast = choice.accept(token);
    this.#speculation?.took(choice);
    return isLast;
  }

  /** True when nothing more is to be computed for a sequence; its sink has then been told why. */
  #isOver(sequence: Sequence): boolean {
    const { stream } = sequence;
    if (stream.settled) return true;
    if (stream.cancelled) stream.fail(failures.cancelled(sequence.id));
    else if (sequence.expired(processNow())) stream.fail(failures.deadlineExceeded(sequence.id));
    return stream.settled;
  }

  /**
   * Removes the rows that `stays` refuses, from the last down: the row that moves into a gap has been asked.
   *
   * @param first row of the first of `choices`
   */
  #keepRows(choices: readonly Choice[], stays: (choice: Choice, row: number) => boolean, first = 0): void {
    for (let index = choices.length - 1; index >= 0; index--) {
      const choice = choices[index];
      if (choice !== undefined && !stays(choice, first + index)) this.#removeRow(choice, first + index);
    }
  }

  #removeRow({ sequence }: Choice, row: number): void {
    this.#scheduler.stop(row);
    this.#runner.remove(row);
    if (sequence.unsound) this.#runner.scrub();
  }
}
