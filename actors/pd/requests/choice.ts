/**
 * One of the answers to a request, from its first token to its last: a row of the batch. Its tokens, their random numbers
 * and where it ends depend on nothing but itself; the prompt, the images and the stream are the request's (`sequence.ts`).
 */
import type { TokenMatcher } from '../../constraint/token-matcher.ts';
import type {
  ChoiceSummary,
  FinishReason,
  ResolvedSampling,
  TokenLogprob,
  TopLogprob,
} from '../../generation.ts';
import type { Predictions } from '../runner/predictions.ts';
import { Logprobs } from '../sampler/logprobs.ts';
import { Sampler } from '../sampler/sampler.ts';
import { allows } from '../sampler/token-mask.ts';
import { DraftTally } from './draft-tally.ts';
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
  /** Begins its way through its constraint; absent when it has none. */
  readonly newMatcher?: (() => TokenMatcher) | undefined;
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
  /** What of it was drafted. */
  readonly drafts = new DraftTally();

  readonly #parts: ChoiceParts;
  readonly #sampler: Sampler;
  readonly #stops: StopChecker;
  /** Where it is in its constraint, once that was asked for. */
  #matcher: TokenMatcher | undefined;
  /** What the matcher says is forced, until the next token. */
  #ahead: readonly number[] | undefined;
  /** Why it could not say, to be told when a token is chosen. */
  #failure: unknown;
  /** Text and tokens that existed before and were not streamed yet. */
  #replayed = { text: '', ids: [] as number[] };

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

  /** Tokens that it may still have. */
  get left(): number {
    return this.#parts.maxTokens - this.#stops.generated;
  }

  /** Whether its tokens are drawn, and not the likeliest ones. */
  get draws(): boolean {
    return this.#parts.sampling.temperature !== 0;
  }

  /** Whether any of its tokens may take more than the likeliest one of the graph. */
  get readsLogits(): boolean {
    const { sampling, newMatcher } = this.#parts;
    return sampling.logprobs || newMatcher !== undefined || !this.#sampler.greedy;
  }

  /** Whether its next token takes more than the likeliest one of the graph. */
  get needsLogits(): boolean {
    const { sampling, newMatcher } = this.#parts;
    if (sampling.logprobs) return true;
    return newMatcher === undefined ? !this.#sampler.greedy : this.#forced.length === 0;
  }

  /** Tokens that come next whatever the model makes of them; none where it has to be asked how likely they are. */
  get forced(): readonly number[] {
    return this.#parts.sampling.logprobs ? [] : this.#forced;
  }

  /** @returns undefined when the logits hold NaN or Infinity */
  choose(predictions: Predictions, row: number): ChosenToken | undefined {
    const likeliest = predictions.likeliest(row);
    if (likeliest === -1) return undefined;
    const raw = this.needsLogits ? predictions.logits(row) : undefined;
    const id = this.#next(likeliest, raw);
    if (id === -1) return undefined;
    return raw !== undefined && this.#parts.sampling.logprobs
      ? { id, logprob: this.#logprob(id, new Logprobs(raw, likeliest)) }
      : { id };
  }

  /** A token that comes whatever the model makes of it. */
  force(id: number): ChosenToken {
    this.#sampler.force(id);
    return { id };
  }

  /**
   * Takes tokens that the answer has already, as if they had been chosen here. Their text is streamed with the first new one.
   * Neither a constraint nor logprobs go with them.
   *
   * @returns true when the answer ends with one of them
   */
  replay(ids: Iterable<number>): boolean {
    for (const id of ids) {
      this.#sampler.force(id);
      const pushed = this.#stops.push(id);
      this.#replayed.text += pushed.text;
      if (pushed.counted) this.#replayed.ids.push(id);
      if (pushed.finished === undefined) continue;
      this.#streamReplayed();
      this.#end(pushed.finished, pushed.stopString);
      return true;
    }
    return false;
  }

  /**
   * Takes a chosen token and streams its text.
   *
   * @returns true when it was the last
   * @throws whatever the sink throws
   */
  accept(token: ChosenToken): boolean {
    this.lastToken = token.id;
    this.#streamReplayed();
    const { text, counted, finished, stopString } = this.#stops.push(token.id);
    this.drafts.note(token.id, counted);
    // Behind a token that ends the answer there is nothing to match.
    if (counted && finished === undefined) this.#matcher?.accept(token.id);
    this.#ahead = undefined;
    this.sequence.stream.write(this.index, text, counted ? token : undefined);
    if (finished === undefined) return false;
    this.#end(finished, stopString);
    return true;
  }

  #end(finishReason: FinishReason, stopString: string | undefined): void {
    const ended = { finishReason, completionTokens: this.#stops.generated };
    this.drafts.end();
    this.ended = stopString === undefined ? ended : { ...ended, stopString };
    this.sequence.choiceEnded();
  }

  /** In one piece. */
  #streamReplayed(): void {
    const { text, ids } = this.#replayed;
    if (ids.length === 0) return;
    this.#replayed = { text: '', ids: [] };
    const last = ids.length - 1;
    for (const [i, id] of ids.entries())
      this.sequence.stream.write(this.index, i === last ? text : '', { id });
  }

  /** @param raw absent where they are not needed; not changed where anybody else reads them */
  #next(likeliest: number, raw: Float32Array | undefined): number {
    const { sampling } = this.#parts;
    const [forced] = this.#forced;
    if (this.#failure !== undefined) throw this.#failure;
    if (forced !== undefined) return this.force(forced).id;
    const mask = this.#matcher?.mask();
    const isAllowed = mask === undefined || allows(mask, likeliest);
    if (raw === undefined || (this.#sampler.greedy && isAllowed)) return likeliest;
    const isShared = sampling.logprobs || (sampling.n > 1 && this.generated === 0);
    return this.#sampler.sample(isShared ? raw.slice() : raw, mask);
  }

  /** Asked of a whole batch before it is run: a matcher that fails is its own answer's failure, and comes later. */
  get #forced(): readonly number[] {
    if (this.#ahead !== undefined) return this.#ahead;
    try {
      this.#matcher ??= this.#parts.newMatcher?.();
      this.#ahead = this.#matcher?.forced() ?? [];
    } catch (error) {
      this.#failure = error;
      this.#ahead = [];
    }
    return this.#ahead;
  }

  #logprob(id: number, logprobs: Logprobs): TokenLogprob {
    const { describe, sampling } = this.#parts;
    const one = (token: number): TopLogprob => ({ ...describe(token), logprob: logprobs.of(token) });
    return { ...one(id), top: logprobs.top(sampling.topLogprobs).map(one) };
  }
}
