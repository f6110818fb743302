/**
 * The prefill half of a step. Prompts are admitted in order and run within the step's budget of tokens: a long one in
 * parts, several short ones together. Between parts a cancelled prompt is dropped.
 *
 * Where another actor helps, prompts go to it, part by part, while answers are being read, and this one decodes. The
 * next prompt waits for it; of more, this actor runs what it would run alone.
 */
import { processNow } from '../../runtime/clock.ts';
import type { ModelRunner } from './model-runner.ts';
import type { PdCounters } from './pd-stats.ts';
import type { Predictions } from './predictions.ts';
import type { PrefillPacer } from './prefill-pacer.ts';
import type { PromptRun } from './prompt-run.ts';
import { type OpenedPrompt, PromptsAside } from './prompts-aside.ts';
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

/** Prompts that wait for the other actor rather than slow the answers down. */
const PATIENT = 1;

export class PromptStage {
  readonly #parts: PromptStageParts;
  readonly #aside: PromptsAside;

  constructor(parts: PromptStageParts) {
    this.#parts = parts;
    this.#aside = new PromptsAside(parts.runner);
  }

  /** Runs prompts until the budget of this step is spent. @returns the tokens that were run, padding included */
  async run(): Promise<number> {
    const { scheduler } = this.#parts;
    const aside = this.#takeAside();
    const streaming = scheduler.running.filter((sequence) => sequence.streaming).length;
    if (streaming > 0) await this.#sendAside();
    const run = aside + (await this.#runNear(streaming));
    if (run > 0 || scheduler.running.length > 0 || this.#aside.sequence === undefined) return run;
    // Nobody is left to decode: what the other actor does is all there is to wait for.
    await this.#aside.done;
    return this.#takeAside();
  }

  /** What the other actor has done since the last step. @returns the tokens that it has run */
  #takeAside(): number {
    const outcome = this.#aside.take();
    if (outcome === undefined) return 0;
    const { opened, tokens, predictions, error } = outcome;
    // Who has left meanwhile has given the prompt up.
    if (opened.sequence.prompt !== opened.prompt) return 0;
    // Whatever it was, the death of the other actor included: this one can run the prompt.
    if (error !== undefined) opened.sequence.prompt = this.#parts.runner.again(opened.prompt);
    else this.#parts.counters.countPrefillRun(tokens);
    if (predictions !== undefined) this.#start(opened, predictions, 0);
    return tokens;
  }

  async #sendAside(): Promise<void> {
    if (!this.#parts.runner.hasHelp || this.#aside.sequence !== undefined) return;
    const opened = this.#nextAside();
    if (opened !== undefined) await this.#aside.send(opened, this.#parts.runner.promptRuns.most);
  }

  /** The first in order, unless another needs a single part. */
  #nextAside(): OpenedPrompt | undefined {
    const { scheduler, runner } = this.#parts;
    const { most } = runner.promptRuns;
    const fitting: OpenedPrompt[] = [];
    for (let index = 0; ; index++) {
      const admitted = index < scheduler.prefilling.length;
      const short = (scheduler.waiting[0]?.promptIds.length ?? 0) <= most;
      const opened = admitted || short || fitting.length === 0 ? this.#opened(index) : undefined;
      if (opened === undefined) break;
      if (runner.goesAside(opened.prompt)) fitting.push(opened);
    }
    return fitting.find(({ prompt }) => prompt.left <= most) ?? fitting[0];
  }

  async #runNear(streaming: number): Promise<number> {
    const { scheduler, pacer } = this.#parts;
    const here = scheduler.prefilling.filter((sequence) => sequence !== this.#aside.sequence);
    const waiting = scheduler.waiting.length + here.length;
    if (waiting === 0) return 0;
    const patient = streaming > 0 && waiting <= PATIENT;
    const isNear = ({ sequence, prompt }: OpenedPrompt) =>
      sequence !== this.#aside.sequence && !(patient && this.#parts.runner.goesAside(prompt));
    const budget = pacer.tokens({ streaming, waiting });
    let run = 0;
    while (run < budget) {
      const group = this.#nextGroup(budget - run, isNear);
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
  #nextGroup(budget: number, isNear: (opened: OpenedPrompt) => boolean): OpenedPrompt[] {
    const { runner, scheduler } = this.#parts;
    const group: OpenedPrompt[] = [];
    let longest = 0;
    for (let index = 0; ; index++) {
      const admitted = index < scheduler.prefilling.length ? this.#opened(index) : undefined;
      if (admitted !== undefined && !isNear(admitted)) continue;
      const { promptIds } = admitted?.sequence ?? scheduler.waiting[0] ?? {};
      // Padded to the longest, all of them together are what is paid for.
      const length = Math.max(longest, promptIds?.length ?? 0);
      if (group.length > 0 && (group.length + 1) * length > budget) break;
      const opened = admitted ?? this.#opened(index);
      if (opened === undefined) break;
      if (!isNear(opened)) continue;
      // A prompt that is known in part is run by itself, next.
      if (group.length > 0 && !runner.joinsOthers(opened.prompt)) break;
      group.push(opened);
      if (!runner.joinsOthers(opened.prompt)) break;
      longest = Math.max(longest, opened.prompt.ids.length);
    }
    return group;
  }

  /** The prompt at a place of the prefilling list, admitted if need be. */
  #opened(index: number): OpenedPrompt | undefined {
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
  async #runPart({ sequence, prompt }: OpenedPrompt, budget: number): Promise<number> {
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
  async #runGroup(group: readonly OpenedPrompt[]): Promise<number> {
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

  #start({ sequence, prompt }: OpenedPrompt, predictions: Predictions, row: number): void {
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
