/** The part of a step that runs drafts: the last token of an answer and what may follow it, in a run of its own. */
import { processNow } from '../../../runtime/clock.ts';
import type { PdCounters } from '../engine/pd-stats.ts';
import type { Choice } from '../requests/choice.ts';
import type { Scheduler } from '../requests/scheduler.ts';
import type { Sequence } from '../requests/sequence.ts';
import type { ModelRunner } from '../runner/model-runner.ts';
import type { Predictions } from '../runner/predictions.ts';
import type { Draft } from './drafter.ts';
import type { Speculation } from './speculation.ts';

export interface DraftStageParts {
  readonly scheduler: Scheduler;
  readonly runner: ModelRunner<Sequence>;
  readonly counters: PdCounters;
  readonly speculation: Speculation;
  /** Chooses and streams the next token of an answer; false when it is over. */
  sample(choice: Choice, predictions: Predictions, row: number): boolean;
  /** Takes an answer that is over out of the batch. */
  remove(choice: Choice, row: number): void;
}

/** Tokens that a step runs beside those of the batch: so long the others wait. */
const TOKENS_A_STEP = 32;

export class DraftStage {
  readonly #parts: DraftStageParts;

  constructor(parts: DraftStageParts) {
    this.#parts = parts;
  }

  /** @returns whether everybody has had a token: the only answer was run */
  async run(): Promise<boolean> {
    const { scheduler, runner, speculation, remove } = this.#parts;
    const { running } = scheduler;
    const rows = running.length;
    if (!runner.verifies) return false;
    let left = TOKENS_A_STEP;
    for (let row = rows - 1; row >= 0 && left > 1; row--) {
      const choice = running[row];
      const draft = choice && speculation.draft(choice, rows, left - 1);
      if (choice === undefined || draft === undefined) continue;
      left -= draft.tokens.length + 1;
      if (!(await this.#verify(choice, row, draft))) remove(choice, row);
    }
    return rows === 1 && left < TOKENS_A_STEP;
  }

  /** False when the answer is over. */
  async #verify(choice: Choice, row: number, { tokens, forced }: Draft): Promise<boolean> {
    const { runner, counters, speculation, sample } = this.#parts;
    const { sequence } = choice;
    try {
      const startedAt = processNow();
      const run = await runner.verify(row, Int32Array.of(choice.lastToken, ...tokens), {
        logits: choice.readsLogits,
        shift: sequence.positionShift,
        requestId: sequence.id,
      });
      speculation.costs.noteRun(tokens.length + 1, processNow() - startedAt);
      const { drafts } = choice;
      const before = drafts.accepted;
      drafts.begin(tokens, forced);
      let place = 0;
      let goesOn = sample(choice, run.predictions, place);
      while (goesOn && drafts.place > place) {
        place += 1;
        goesOn = sample(choice, run.predictions, place);
      }
      counters.countForced(Math.min(forced, drafts.place));
      counters.countDraft(tokens.length - forced, drafts.accepted - before);
      run.forget(tokens.length - place);
      return goesOn;
    } catch (error) {
      sequence.stream.fail(error);
      return false;
    }
  }
}
