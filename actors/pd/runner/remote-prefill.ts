/** Remote prefill: the part of a prompt that another actor runs while this one decodes, one at a time. */
import { types } from 'node:util';
import { countTokens } from '../../model/count-tokens.ts';
import type { PromptPart } from '../../protocols.ts';
import { SlotPromptKv } from '../kv-cache/slot-prompt-kv.ts';
import type { Decoder, TokenFeed } from './decoder.ts';
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
  readonly localDecoder: Decoder;
  /** The same for prompts, where these have another. */
  readonly localPrompts?: Decoder | undefined;
  /** Whether images may be handed over. */
  readonly takesImages: boolean;
  /** Whether somebody is up. */
  readonly ready: boolean;
}

/** A prompt that is being run, and whose it is. The runner does not care who that is. */
export interface OpenedPrompt<Owner> {
  readonly sequence: Owner;
  readonly prompt: PromptRun;
}

/** How a part ended. */
export interface PartOutcome<Owner> {
  readonly opened: OpenedPrompt<Owner>;
  readonly tokens: number;
  /** Once the prompt is complete. */
  readonly predictions?: Predictions | undefined;
  /** The prompt must be begun again: whoever failed may still be writing to its memory. */
  readonly error?: unknown;
}

export interface RemotePrefillParts {
  readonly help: PromptHelp;
  readonly feeds: PromptFeeds;
  readonly prompts: PromptOpener;
  readonly imageTokenId: number;
}

export class RemotePrefill<Owner> {
  readonly #parts: RemotePrefillParts;
  #sequence: Owner | undefined;
  #running = false;
  #outcome: PartOutcome<Owner> | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: RemotePrefillParts) {
    this.#parts = parts;
  }

  /** Whose prompt it is, until `take` has told how the part ended. */
  get sequence(): Owner | undefined {
    return this.#sequence;
  }

  /** The decoder of this thread while a part is being run. */
  get localDecoder(): Decoder | undefined {
    return this.#running ? this.#parts.help.localDecoder : undefined;
  }

  /** The same for prompts. */
  get localPrompts(): Decoder | undefined {
    return this.#running ? (this.#parts.help.localPrompts ?? this.#parts.help.localDecoder) : undefined;
  }

  /** Resolves when `take` has something to tell. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Whether what is left of a prompt, which may be cut, can be run there. */
  takes({ ids, done, staysLocal }: PromptRun): boolean {
    const { help, imageTokenId } = this.#parts;
    if (!help.ready || staysLocal) return false;
    return help.takesImages || !ids.includes(imageTokenId, done);
  }

  /**
   * Hands over up to `most` tokens of a prompt. Resolves when they are being run; only then may this thread go on, for
   * preparing them takes the graph of token embeddings. `take` must have told of the part before.
   */
  async send(opened: OpenedPrompt<Owner>, most: number): Promise<void> {
    const { prompt } = opened;
    const { feeds, help, imageTokenId } = this.#parts;
    const from = prompt.done;
    const to = prompt.partEnd(most);
    this.#sequence = opened.sequence;
    this.#running = true;
    try {
      const { kv } = prompt;
      if (!(kv instanceof SlotPromptKv)) throw new TypeError('Its keys and values cannot be shared');
      await feeds.prepare(prompt);
      await feeds.withPart(prompt, from, to, async (tokens) => {
        const { ids } = tokens;
        const answer = help.extend({ ...ownTokens(tokens), past: kv.share() });
        prompt.imageTokensRemote += countTokens(ids, imageTokenId);
        const ran = (predictions: Predictions) => this.#ran(opened, kv, from, to, predictions);
        this.#done = answer.then(ran).catch((error: unknown) => this.#failed(opened, error));
      });
    } catch (error) {
      this.#failed(opened, error);
    }
  }

  /** How the part ended, if it has. */
  take(): PartOutcome<Owner> | undefined {
    const outcome = this.#outcome;
    if (outcome === undefined) return undefined;
    this.#outcome = undefined;
    this.#sequence = undefined;
    return outcome;
  }

  #ran(
    opened: OpenedPrompt<Owner>,
    kv: SlotPromptKv,
    from: number,
    to: number,
    predictions: Predictions,
  ): void {
    const { prompt } = opened;
    const { prompts } = this.#parts;
    kv.advance(to - from);
    prompts.keepLater(prompt, from);
    this.#ended({ opened, tokens: to - from, ...(prompt.left === 0 ? { predictions } : {}) });
  }

  #failed(opened: OpenedPrompt<Owner>, error: unknown): void {
    this.#ended({ opened, tokens: 0, error });
  }

  #ended(outcome: PartOutcome<Owner>): void {
    this.#running = false;
    this.#outcome = outcome;
  }
}

/** A view is cloned with its whole buffer. */
function ownTokens({
  ids,
  embeds,
  logits,
  positions,
  tokenTypes,
  deepstack,
}: TokenFeed): Omit<PromptPart, 'past'> {
  return {
    ids: ids.slice(),
    embeds: types.isFloat32Array(embeds) ? embeds.slice() : undefined,
    logits,
    positions: positions?.slice(),
    tokenTypes: tokenTypes?.slice(),
    deepstack: deepstack?.map((added) => added.slice()),
  };
}
