/**
 * The prefill half of a step. Prompts are admitted in order and run within the step's budget of tokens: a long one in
 * parts, several short ones together. Between parts a cancelled prompt is dropped.
 *
 * Where another actor helps, prompts go to it, part by part, while answers are being read, and this one decodes. The
 * next prompt waits for it; of more, this actor runs what it would run alone.
 */
import { processNow } from '../../../runtime/clock.ts';
import type { Scheduler } from '../requests/scheduler.ts';
import type { Sequence } from '../requests/sequence.ts';
import type { ModelRunner } from '../runner/model-runner.ts';
import type { Predictions } from '../runner/predictions.ts';
import type { PrefillPacer } from '../runner/prefill-pacer.ts';
import type { OpenedPrompt, PromptsAside } from '../runner/remote-prefill.ts';
import type { PdCounters } from './pd-stats.ts';
import { PromptQueue } from './prompt-queue.ts';

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
  readonly #queue: PromptQueue;

  constructor(parts: PromptStageParts) {
    this.#parts = parts;
    this.#queue = new PromptQueue(parts);
  }

  /** Runs prompts until the budget of this step is spent. @returns the tokens that were run, padding included */
  async run(): Promise<number> {
    const { scheduler, runner } = this.#parts;
    const { aside } = runner;
    const tokens = this.#takeAside();
    const streaming = scheduler.running.filter((sequence) => sequence.streaming).length;
    if (aside !== undefined && aside.sequence === undefined && streaming > 0) await this.#sendAside(aside);
    const run = tokens + (await this.#runNear(streaming));
    if (run > 0 || scheduler.running.length > 0 || aside?.sequence === undefined) return run;
    // Nobody is left to decode: what the other actor does is all there is to wait for.
    await aside.done;
    return this.#takeAside();
  }

  /** What the other actor has done since the last step. @returns the tokens that it has run */
  #takeAside(): number {
    const outcome = this.#parts.runner.aside?.take();
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

  async #sendAside(aside: PromptsAside): Promise<void> {
    const opened = this.#queue.nextAside();
    if (opened !== undefined) await aside.send(opened, this.#parts.runner.promptRuns.most);
  }

  async #runNear(streaming: number): Promise<number> {
    const { scheduler, runner, pacer } = this.#parts;
    const away = runner.aside?.sequence;
    const here = scheduler.prefilling.filter((sequence) => sequence !== away);
    const waiting = scheduler.waiting.length + here.length;
    if (waiting === 0) return 0;
    const paced = streaming > 0;
    const patient = paced && waiting <= PATIENT;
    const isNear = (opened: OpenedPrompt) =>
      opened.sequence !== away && !(patient && this.#queue.goesAside(opened));
    const budget = pacer.tokens({ streaming, waiting });
    let run = 0;
    while (run < budget) {
      const left = budget - run;
      const unread = paced ? left : pacer.unread;
      const group = this.#queue.nextGroup({ budget: left, unread, isNear });
      const [first] = group;
      // What is left of the budget would cut a prompt in two that the next step may run whole.
      if (first === undefined || (run > 0 && first.prompt.left > left)) break;
      const most = paced ? left : evenPart(first.prompt.left, unread);
      run += group.length === 1 ? await this.#runPart(first, most) : await this.#runGroup(group);
    }
    return run;
  }

  dropLeavers(): void {
    this.#queue.dropLeavers();
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
      this.#queue.giveUp(sequence);
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
}

/** Of as many tokens as fit, in parts of one size: a small one at the end would cost nearly as much as a large one. */
function evenPart(tokens: number, most: number): number {
  return Math.ceil(tokens / Math.ceil(tokens / most));
}
