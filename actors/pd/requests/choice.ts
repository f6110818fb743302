/**
 * One of the answers to a request, from its first token to its last: a row of the batch. Its tokens, their random numbers
 * and where it ends depend on nothing but itself; the prompt, the images and the stream are the request's (`sequence.ts`).
 */
import type { TokenMatcher } from '../../constraint/token-matcher.ts';
import type { ChoiceSummary, ResolvedSampling, TokenLogprob, TopLogprob } from '../../generation.ts';
import type { Predictions } from '../runner/predictions.ts';
import { Logprobs } from '../sampler/logprobs.ts';
import { Sampler } from '../sampler/sampler.ts';
import { allows } from '../sampler/token-mask.ts';
import type { Sequence } from './sequence.ts';
import { type IncrementalDetokenizer, StopChecker } from './stop-checker.ts';

export interface ChoiceParts {
  readonly sequence: Sequence;
  /** Which of the request's answers it is. */
  readonly index: number;
  readonly sampling: ResolvedSampling;
  /** Most tokens to generate, cut to what the context leaves; ≥ 1. */
  readonly maxTokens: number;
  readonly eosTokenIds: readonly number[];
  readonly detokenizer: IncrementalDetokenizer;
  /** Text and bytes of a token. */
  readonly describe: (id: number) => Omit<TopLogprob, 'logprob'>;
  /** Where the answer is in its constraint; absent when it has none. */
  readonly matcher?: TokenMatcher | undefined;
}

/** A token that goes into the answer. */
export interface ChosenToken {
  readonly id: number;
  readonly logprob?: TokenLogprob | undefined;
}

const SEEDS = 2 ** 32;

export class Choice {
  readonly sequence: Sequence;
  readonly index: number;
  /** The newest token, which the next decode step feeds. */
  lastToken = -1;
  /** How it ended, once it has. */
  ended: ChoiceSummary | undefined;

  readonly #parts: ChoiceParts;
  readonly #sampler: Sampler;
  readonly #stops: StopChecker;

  constructor(parts: ChoiceParts) {
    const { sequence, index, sampling, detokenizer, eosTokenIds, maxTokens } = parts;
    this.#parts = parts;
    this.sequence = sequence;
    this.index = index;
    const seed = (sampling.seed + index) % SEEDS;
    this.#sampler = new Sampler({ ...sampling, seed }, sequence.promptIds);
    this.#stops = new StopChecker({ eosTokenIds, stop: sampling.stop, maxTokens }, detokenizer);
  }

  /** Tokens so far. */
  get generated(): number {
    return this.#stops.generated;
  }

  /** Whether its next token takes more than the likeliest one of the graph. */
  get needsLogits(): boolean {
    const { sampling, matcher } = this.#parts;
    return !this.#sampler.greedy || sampling.logprobs || matcher !== undefined;
  }

  /** @returns undefined when the logits hold NaN or Infinity */
  choose(predictions: Predictions, row: number): ChosenToken | undefined {
    const likeliest = predictions.likeliest(row);
    if (likeliest === -1) return undefined;
    const { logprobs, topLogprobs, n } = this.#parts.sampling;
    const mask = this.#parts.matcher?.mask();
    const raw = this.needsLogits ? predictions.logits(row) : undefined;
    let id = likeliest;
    if (raw !== undefined && !(this.#sampler.greedy && (mask === undefined || allows(mask, likeliest)))) {
      // The sampler changes them, and somebody else may be about to read them.
      id = this.#sampler.sample(logprobs || n > 1 ? raw.slice() : raw, mask);
    }
    if (id === -1) return undefined;
    if (raw === undefined || !logprobs) return { id };
    const { describe } = this.#parts;
    const of = new Logprobs(raw, likeliest);
    const top = of.top(topLogprobs).map((one) => ({ ...describe(one), logprob: of.of(one) }));
    return { id, logprob: { ...describe(id), logprob: of.of(id), top } };
  }

  /**
   * Takes a chosen token and streams its text.
   *
   * @returns true when it was the last
   * @throws whatever the sink throws
   */
  accept(token: ChosenToken): boolean {
    this.lastToken = token.id;
    const { text, counted, finished } = this.#stops.push(token.id);
    // Behind a token that ends the answer there is nothing to match.
    if (counted && finished === undefined) this.#parts.matcher?.accept(token.id);
    this.sequence.stream.write(this.index, text, counted ? token : undefined);
    if (finished === undefined) return false;
    this.ended = { finishReason: finished, completionTokens: this.#stops.generated };
    this.sequence.choiceEnded();
    return true;
  }
}
