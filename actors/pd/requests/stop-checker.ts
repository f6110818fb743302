/**
 * Decides after each token whether a generation goes on: end-of-sequence, stop strings, the caller's token limit,
 * and the model's context length.
 */
import type { FinishReason } from '../../generation.ts';
import { StopStrings } from './stop-strings.ts';

/** Token ids to text, one at a time; a token that ends inside a character gives its text later. */
export interface IncrementalDetokenizer {
  push(id: number): string;
  flush(): string;
}

export interface StopRules {
  readonly eosTokenIds: readonly number[];
  readonly stop: readonly string[];
  /** Most tokens to generate, cut to what the context leaves; ≥ 1. */
  readonly maxTokens: number;
}

export interface CheckedToken {
  /** Text that has become safe to show. */
  readonly text: string;
  /** False for an end-of-sequence token, which is no part of the answer. */
  readonly counted: boolean;
  readonly finished: FinishReason | undefined;
  /** The stop string that ended it, if one did. */
  readonly stopString?: string | undefined;
}

export class StopChecker {
  readonly #rules: StopRules;
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stopStrings: StopStrings;
  #generated = 0;

  constructor(rules: StopRules, detokenizer: IncrementalDetokenizer) {
    this.#rules = rules;
    this.#detokenizer = detokenizer;
    this.#stopStrings = new StopStrings(rules.stop);
  }

  /** Tokens of the answer so far. */
  get generated(): number {
    return this.#generated;
  }

  push(id: number): CheckedToken {
    if (this.#rules.eosTokenIds.includes(id)) return this.#end('', 'stop', false);
    this.#generated += 1;
    const { text, stopped, by } = this.#stopStrings.push(this.#detokenizer.push(id));
    if (stopped) return { text, counted: true, finished: 'stop', stopString: by };
    if (this.#generated >= this.#rules.maxTokens) return this.#end(text, 'length', true);
    return { text, counted: true, finished: undefined };
  }

  /** The answer is over: an unfinished character and held-back text come out, unless they complete a stop string. */
  #end(text: string, reason: FinishReason, counted: boolean): CheckedToken {
    const tail = this.#stopStrings.push(this.#detokenizer.flush());
    if (tail.stopped) return { text: text + tail.text, counted, finished: 'stop', stopString: tail.by };
    return { text: text + tail.text + this.#stopStrings.flush(), counted, finished: reason };
  }
}
