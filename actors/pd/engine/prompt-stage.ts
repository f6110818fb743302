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
import type { OpenedPrompt, RemotePrefill } from '../runner/remote-prefill.ts';
import type { PdCounters } from './pd-stats.ts';
import { PromptQueue } from './prompt-queue.ts';

export interface PromptStageParts {
  readonly scheduler: Scheduler;
  readonly runner: ModelRunner<Sequence>;
  readonly counters: PdCounters;
  readonly pacer: PrefillPacer;
  /** True when nothing more is to be computed for a sequence. */
  isOver(sequence: Sequence): boolean;
  /** Takes a sequence whose prompt is complete and is the cache's last rows, and which row of its run it was. */
  start(sequence: Sequence, predictions: Predictions, row: number): void;
}

/** Prompts that wait for the other actor rather than slow the answers down. */
const MOST_WAITING_FOR_REMOTE = 1;

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
    const { remote } = runner;
    const tokens = this.#takeRemote();
    const readers = scheduler.running.filter(({ sequence }) => sequence.hasReader).length;
    if (remote !== undefined && remote.sequence === undefined && readers > 0) await this.#sendRemote(remote);
    const run = tokens + (await this.#runLocal(readers));
    if (run > 0 || scheduler.running.length > 0 || remote?.sequence === undefined) return run;
    // Nobody is left to decode: what the other actor does is all there is to wait for.
    await remote.done;
    return this.#takeRemote();
  }

  /** What the other actor has done since the last step. @returns the tokens that it has run */
  #takeRemote(): number {
    const outcome = this.#parts.runner.remote?.take();
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

  async #sendRemote(remote: RemotePrefill<Sequence>): Promise<void> {
    const opened = this.#queue.nextRemote();
    if (opened !== undefined) await remote.send(opened, this.#parts.runner.promptRuns.most);
  }

  async #runLocal(readers: number): Promise<number> {
    const { scheduler, runner, pacer } = this.#parts;
    const away = runner.remote?.sequence;
    const here = scheduler.prefilling.filter((sequence) => sequence !== away);
    const waiting = scheduler.waiting.length + here.length;
    if (waiting === 0) return 0;
    const paced = readers > 0;
    const patient = paced && waiting <= MOST_WAITING_FOR_REMOTE;
    const isLocal = (opened: OpenedPrompt<Sequence>) =>
      opened.sequence !== away && !(patient && this.#queue.goesRemote(opened));
    const budget = pacer.tokens({ readers, waiting });
    let run = 0;
    while (run < budget) {
      const left = budget - run;
      const offline = paced ? left : pacer.offline;
      const group = this.#queue.nextGroup({ budget: left, offline, isLocal });
      const [first] = group;
      // What is left of the budget would cut a prompt in two that the next step may run whole.
      if (first === undefined || (run > 0 && first.prompt.left > left)) break;
      const most = paced ? left : evenPart(first.prompt.left, offline);
      run += group.length === 1 ? await this.#runPart(first, most) : await this.#runGroup(group);
    }
    return run;
  }

  dropLeavers(): void {
    this.#queue.dropLeavers();
  }

  /** @returns the tokens that were run */
  async #runPart({ sequence, prompt }: OpenedPrompt<Sequence>, budget: number): Promise<number> {
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
  async #runGroup(group: readonly OpenedPrompt<Sequence>[]): Promise<number> {
    const lengths = group.map(({ prompt }) => prompt.ids.length);
    const padded = group.length * Math.max(...lengths);
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    let predictions: Predictions;
    try {
      const prompts = group.map(({ prompt }) => prompt);
      predictions = await this.#timed(
        () => this.#parts.runner.prefillBatch(prompts),
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

  #start({ sequence, prompt }: OpenedPrompt<Sequence>, predictions: Predictions, row: number): void {
    const { runner, counters } = this.#parts;
    runner.join(prompt, sequence.choices.length);
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
