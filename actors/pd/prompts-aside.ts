/** The part of a prompt that another actor is running while this one decodes: one at a time. */
import type { ModelRunner } from './model-runner.ts';
import type { Predictions } from './predictions.ts';
import type { PromptRun } from './prompt-run.ts';
import type { Sequence } from './sequence.ts';

export interface OpenedPrompt {
  readonly sequence: Sequence;
  readonly prompt: PromptRun;
}

/** How a part ended. */
export interface PartOutcome {
  readonly opened: OpenedPrompt;
  readonly tokens: number;
  /** Once the prompt is complete. */
  readonly predictions?: Predictions | undefined;
  /** The prompt is as before the part. */
  readonly error?: unknown;
}

export class PromptsAside {
  readonly #runner: ModelRunner;
  #sequence: Sequence | undefined;
  #outcome: PartOutcome | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(runner: ModelRunner) {
    this.#runner = runner;
  }

  /** Whose prompt it is, until `take` has told how the part ended. */
  get sequence(): Sequence | undefined {
    return this.#sequence;
  }

  /** Resolves when `take` has something to tell. */
  get done(): Promise<void> {
    return this.#done;
  }

  /**
   * Hands over up to `most` tokens of a prompt; resolves when they are being run. `take` must have told of the part
   * before.
   */
  async send(opened: OpenedPrompt, most: number): Promise<void> {
    this.#sequence = opened.sequence;
    const { prompt } = opened;
    const before = prompt.left;
    try {
      const { done } = await this.#runner.sendAside(prompt, most);
      this.#done = done.then(
        (predictions) => this.#ended({ opened, tokens: before - prompt.left, predictions }),
        (error: unknown) => this.#ended({ opened, tokens: 0, error }),
      );
    } catch (error) {
      this.#ended({ opened, tokens: 0, error });
    }
  }

  /** How the part ended, if it has. */
  take(): PartOutcome | undefined {
    const outcome = this.#outcome;
    if (outcome === undefined) return undefined;
    this.#outcome = undefined;
    this.#sequence = undefined;
    return outcome;
  }

  #ended(outcome: PartOutcome): void {
    this.#outcome = outcome;
  }
}
