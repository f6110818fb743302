/**
 * The prefill half of a step. Prompts are admitted in order and run within the step's budget of tokens: a long one in
 * parts, several short ones together. Between parts a cancelled prompt is dropped.
 */
import { processNow } from '../../runtime/clock.ts';
import type { ModelRunner } from './model-runner.ts';
import type { PdCounters } from './pd-stats.ts';
import type { Predictions } from './predictions.ts';
import type { PrefillPacer } from './prefill-pacer.ts';
import type { PromptRun } from './prompt-run.ts';
import type { Scheduler } from './scheduler.ts';
import type { Sequence } from './sequence.ts';

export interface PromptStageParts {
  readonly scheduler: Scheduler;
  readonly runner: ModelRunner;
  readonly counters: PdCounters;
  readonly pacer: PrefillPacer;
  /** True when nothing more is to be computed for a sequence. */
  leaves(sequence: Sequence): boolean;
  /** Takes a sequence whose prompt is complete and is the cache's last row, and which row of its run it was. */
  start(sequence: Sequence, predictions: Predictions, row: number): void;
}

interface Opened {
  readonly sequence: Sequence;
  readonly prompt: PromptRun;
}

export class PromptStage {
  readonly #parts: PromptStageParts;

  constructor(parts: PromptStageParts) {
    this.#parts = parts;
  }

  /** Runs prompts until the budget of this step is spent. @returns the tokens that were run, padding included */
  async run(): Promise<number> {
    const { scheduler, pacer } = this.#parts;
    const waiting = scheduler.waiting.length + scheduler.prefilling.length;
    if (waiting === 0) return 0;
    const streaming = scheduler.running.filter((sequence) => sequence.streaming).length;
    const budget = pacer.tokens({ streaming, waiting });
    let run = 0;
    while (run < budget) {
      const group = this.#nextGroup(budget - run);
      const [first] = group;
      // What is left of the budget would cut a prompt in two that the next step may run whole.
      if (first === undefined || (run > 0 && first.prompt.left > budget - run)) break;
      run += group.length === 1 ? await this.#runPart(first, budget - run) : await this.#runGroup(group);
    }
    return run;
  }

  dropLeavers(): void {
    const { scheduler, leaves } = this.#parts;
    for (const sequence of scheduler.prefilling) if (leaves(sequence)) this.#giveUp(sequence);
  }

  /** The prompt to go on with, and others behind it that fit into the same run. */
  #nextGroup(budget: number): Opened[] {
    const first = this.#opened(0);
    if (first === undefined) return [];
    const group = [first];
    let longest = first.prompt.left;
    while (this.#parts.runner.joinsOthers(first.prompt)) {
      // Padded to the longest, all of them together are what is paid for.
      const [next] = this.#parts.scheduler.waiting;
      const length = Math.max(longest, next?.promptIds.length ?? 0);
      if (next === undefined || (group.length + 1) * length > budget) break;
      const another = this.#opened(group.length);
      if (another === undefined) break;
      // A prompt that is known in part is run by itself, next.
      if (!this.#parts.runner.joinsOthers(another.prompt)) break;
      longest = length;
      group.push(another);
    }
    return group;
  }

  /** The prompt at a place of the prefilling list, admitted if need be. */
  #opened(index: number): Opened | undefined {
    const { scheduler, leaves } = this.#parts;
    for (;;) {
      const sequence = scheduler.prefilling[index] ?? scheduler.admit();
      if (sequence === undefined) return undefined;
      if (leaves(sequence)) {
        this.#giveUp(sequence);
        continue;
      }
      return { sequence, prompt: sequence.prompt ?? this.#begin(sequence) };
    }
  }

  #begin(sequence: Sequence): PromptRun {
    const { promptIds, images, sampler } = sequence;
    const imagesRead = () => sequence.releaseImages();
    const prompt = this.#parts.runner.begin(promptIds, images, imagesRead, !sampler.greedy);
    sequence.beginPrefill(prompt);
    return prompt;
  }

  /** @returns the tokens that were run */
  async #runPart({ sequence, prompt }: Opened, budget: number): Promise<number> {
    const { runner } = this.#parts;
    const before = prompt.left;
    try {
      const predictions = await this.#timed(
        () => runner.extend(prompt, budget),
        () => before - prompt.left,
      );
      if (predictions !== undefined) this.#start({ sequence, prompt }, predictions, 0);
    } catch (error) {
      sequence.stream.fail(error);
      this.#giveUp(sequence);
    }
    return Math.max(1, before - prompt.left);
  }

  /** @returns the tokens that were run, padding included */
  async #runGroup(group: readonly Opened[]): Promise<number> {
    const lengths = group.map(({ prompt }) => prompt.ids.length);
    const padded = group.length * Math.max(...lengths);
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    let predictions: Predictions;
    try {
      const prompts = group.map(({ prompt }) => prompt);
      predictions = await this.#timed(
        () => this.#parts.runner.together(prompts),
        () => tokens,
      );
    } catch {
      // Which of them broke it is unknown: each by itself, and only the one at fault fails.
      for (const opened of group) await this.#runPart(opened, opened.prompt.left);
      return padded;
    }
    for (const [row, opened] of group.entries()) this.#start(opened, predictions, row);
    return padded;
  }

  async #timed<T>(run: () => Promise<T>, tokens: () => number): Promise<T> {
    const startedAt = processNow();
    const result = await run();
    this.#parts.pacer.notePrefill(tokens(), processNow() - startedAt);
    this.#parts.counters.countPrefillRun(tokens());
    return result;
  }

  #start({ sequence, prompt }: Opened, predictions: Predictions, row: number): void {
    const { runner, counters } = this.#parts;
    runner.join(prompt);
    sequence.endPrefill();
    counters.countPrefill();
    counters.notePeak(runner.kvBytes);
    this.#parts.start(sequence, predictions, row);
  }

  #giveUp(sequence: Sequence): void {
    const { scheduler, runner } = this.#parts;
    scheduler.giveUp(sequence);
    if (sequence.prompt !== undefined) runner.drop(sequence.prompt);
    sequence.prompt = undefined;
  }
}
