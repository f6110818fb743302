/** The part of a prompt that another actor runs while this one decodes: one at a time. */
import { types } from 'node:util';
import { countTokens } from '../../model/count-tokens.ts';
import type { PromptPart } from '../../protocols.ts';
import { SlotDraft } from '../kv-cache/slot-draft.ts';
import type { Sequence } from '../requests/sequence.ts';
import type { Decoder } from './decoder.ts';
import type { Predictions } from './predictions.ts';
import type { PromptFeeds } from './prompt-feeds.ts';
import type { PromptOpener } from './prompt-opener.ts';
import type { PromptRun } from './prompt-run.ts';

/** Somebody else who runs parts of prompts while this thread decodes. */
export interface PromptHelp {
  /**
   * Writes the part's keys and values behind the past; nobody else may use that meanwhile.
   *
   * @returns what the part's last token predicts, in row 0
   */
  extend(part: PromptPart): Promise<Predictions>;
  /** The decoder of this thread on the cores that are left meanwhile. */
  readonly beside: Decoder;
  /** Whether images may be handed over. */
  readonly takesImages: boolean;
  /** Whether somebody is up. */
  readonly ready: boolean;
}

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
  /** The prompt must be begun again: whoever failed may still be writing to its memory. */
  readonly error?: unknown;
}

export interface PromptsAsideParts {
  readonly help: PromptHelp;
  readonly feeds: PromptFeeds;
  readonly prompts: PromptOpener;
  readonly imageTokenId: number;
}

export class PromptsAside {
  readonly #parts: PromptsAsideParts;
  #sequence: Sequence | undefined;
  #running = false;
  #outcome: PartOutcome | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: PromptsAsideParts) {
    this.#parts = parts;
  }

  /** Whose prompt it is, until `take` has told how the part ended. */
  get sequence(): Sequence | undefined {
    return this.#sequence;
  }

  /** The decoder of this thread while a part is being run. */
  get beside(): Decoder | undefined {
    return this.#running ? this.#parts.help.beside : undefined;
  }

  /** Resolves when `take` has something to tell. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Whether what is left of a prompt, which may be cut, can be run there. */
  takes({ ids, done, staysNear }: PromptRun): boolean {
    const { help, imageTokenId } = this.#parts;
    if (!help.ready || staysNear) return false;
    return help.takesImages || !ids.includes(imageTokenId, done);
  }

  /**
   * Hands over up to `most` tokens of a prompt. Resolves when they are being run; only then may this thread go on, for
   * preparing them takes the graph of token embeddings. `take` must have told of the part before.
   */
  async send(opened: OpenedPrompt, most: number): Promise<void> {
    const { prompt } = opened;
    const { feeds, help, imageTokenId } = this.#parts;
    const from = prompt.done;
    const to = from + Math.min(most, prompt.left);
    this.#sequence = opened.sequence;
    this.#running = true;
    try {
      const { draft } = prompt;
      if (!(draft instanceof SlotDraft)) throw new TypeError('Its keys and values cannot be shared');
      await feeds.prepare(prompt);
      await feeds.withPart(prompt, from, to, async ({ ids, embeds, logits }) => {
        // A view is cloned with its whole buffer.
        const own = types.isFloat32Array(embeds) ? embeds.slice() : undefined;
        const answer = help.extend({ ids: ids.slice(), embeds: own, logits, past: draft.share() });
        prompt.imageTokensAside += countTokens(ids, imageTokenId);
        const ran = (predictions: Predictions) => this.#ran(opened, draft, from, to, predictions);
        this.#done = answer.then(ran).catch((error: unknown) => this.#failed(opened, error));
      });
    } catch (error) {
      this.#failed(opened, error);
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

  #ran(opened: OpenedPrompt, draft: SlotDraft, from: number, to: number, predictions: Predictions): void {
    const { prompt } = opened;
    const { prompts } = this.#parts;
    draft.advance(to - from);
    prompts.keepLater(prompt, from);
    this.#ended({ opened, tokens: to - from, ...(prompt.left === 0 ? { predictions } : {}) });
  }

  #failed(opened: OpenedPrompt, error: unknown): void {
    this.#ended({ opened, tokens: 0, error });
  }

  #ended(outcome: PartOutcome): void {
    this.#running = false;
    this.#outcome = outcome;
  }
}
