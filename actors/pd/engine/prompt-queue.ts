/** Which prompts are run next, where: admitted in order, the rest of the queue waits. */

import type { Scheduler } from '../requests/scheduler.ts';
import type { Sequence } from '../requests/sequence.ts';
import type { ModelRunner } from '../runner/model-runner.ts';
import type { PromptRun } from '../runner/prompt-run.ts';
import type { OpenedPrompt } from '../runner/remote-prefill.ts';

export interface PromptQueueParts {
  readonly scheduler: Scheduler;
  readonly runner: ModelRunner<Sequence>;
  /** True when nothing more is to be computed for a sequence. */
  isOver(sequence: Sequence): boolean;
}

/** What a run on this thread may take. */
export interface LocalRun {
  /** Tokens, padding included. */
  readonly budget: number;
  /** The same for prompts whose answers are all wanted whole. */
  readonly offline: number;
  /** Whether a prompt is this thread's to run. */
  isLocal(opened: OpenedPrompt<Sequence>): boolean;
}

export class PromptQueue {
  readonly #parts: PromptQueueParts;

  constructor(parts: PromptQueueParts) {
    this.#parts = parts;
  }

  /** Whether another actor may run what is left of a prompt. */
  goesRemote({ prompt }: OpenedPrompt<Sequence>): boolean {
    const { runner } = this.#parts;
    return runner.mayBeCut(prompt) && runner.remote?.takes(prompt) === true;
  }

  /** The prompt for another actor: the first in order, unless a further one is a single part. */
  nextRemote(): OpenedPrompt<Sequence> | undefined {
    const { scheduler, runner } = this.#parts;
    const { most } = runner.promptRuns;
    const fitting: OpenedPrompt<Sequence>[] = [];
    for (let index = 0; ; index++) {
      const admitted = index < scheduler.prefilling.length;
      const short = (scheduler.waiting[0]?.promptIds.length ?? 0) <= most;
      const opened = admitted || short || fitting.length === 0 ? this.#opened(index) : undefined;
      if (opened === undefined) break;
      if (this.goesRemote(opened)) fitting.push(opened);
    }
    return fitting.find(({ prompt }) => prompt.left <= most) ?? fitting[0];
  }

  /** The prompt for this thread to go on with, and others behind it that fit into the same run. */
  nextGroup({ budget, offline, isLocal }: LocalRun): OpenedPrompt<Sequence>[] {
    const { runner, scheduler } = this.#parts;
    const group: OpenedPrompt<Sequence>[] = [];
    let longest = 0;
    let isRead = false;
    for (let index = 0; ; index++) {
      const admitted = index < scheduler.prefilling.length ? this.#opened(index) : undefined;
      if (admitted !== undefined && !isLocal(admitted)) continue;
      const next = admitted?.sequence ?? scheduler.waiting[0];
      isRead ||= next?.wantsStream !== false;
      // Padded to the longest, all of them together are what is paid for.
      const length = Math.max(longest, next?.promptIds.length ?? 0);
      if (group.length > 0 && (group.length + 1) * length > (isRead ? budget : offline)) break;
      const opened = admitted ?? this.#opened(index);
      if (opened === undefined) break;
      if (!isLocal(opened)) continue;
      // A prompt that is known in part is run by itself, next.
      if (group.length > 0 && !runner.joinsOthers(opened.prompt)) break;
      group.push(opened);
      if (!runner.joinsOthers(opened.prompt)) break;
      longest = Math.max(longest, opened.prompt.ids.length);
    }
    return group;
  }

  dropLeavers(): void {
    const { scheduler, isOver } = this.#parts;
    for (const sequence of scheduler.prefilling) if (isOver(sequence)) this.giveUp(sequence);
  }

  /** Forgets a prompt that will not be complete. */
  giveUp(sequence: Sequence): void {
    const { scheduler, runner } = this.#parts;
    scheduler.giveUp(sequence);
    if (sequence.prompt !== undefined) runner.drop(sequence.prompt);
    sequence.prompt = undefined;
  }

  /** The prompt at a place of the prefilling list, admitted if need be. */
  #opened(index: number): OpenedPrompt<Sequence> | undefined {
    const { scheduler, isOver } = this.#parts;
    for (;;) {
      const sequence = scheduler.prefilling[index] ?? scheduler.admit();
      if (sequence === undefined) return undefined;
      if (isOver(sequence)) {
        this.giveUp(sequence);
        continue;
      }
      return { sequence, prompt: sequence.prompt ?? this.#begin(sequence) };
    }
  }

  #begin(sequence: Sequence): PromptRun {
    const { promptIds, images, choices } = sequence;
    const imagesRead = () => sequence.releaseImages();
    const prompt = this.#parts.runner.begin({
      ids: promptIds,
      positions: sequence.request.envelope.positions?.ids,
      images,
      logits: choices.some(({ needsLogits }) => needsLogits),
      onImagesRead: imagesRead,
      requestId: sequence.id,
    });
    sequence.beginPrefill(prompt);
    return prompt;
  }
}
