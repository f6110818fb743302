/** What of one answer its consumer has not taken yet: text, its tokens and how likely they were, merged as it gathers. */
import type { TokenChunk, TokenLogprob } from '../../generation.ts';
import type { ChosenToken } from './choice.ts';

export class AnswerPiece {
  #text = '';
  #tokenIds: number[] = [];
  #logprobs: TokenLogprob[] = [];
  /** Text has come that is part of the answer. */
  #begun: boolean;

  /** @param keepsSpace whether white space before the answer is a part of it */
  constructor(keepsSpace: boolean) {
    this.#begun = keepsSpace;
  }

  get hasText(): boolean {
    return this.#text !== '';
  }

  get isEmpty(): boolean {
    return !this.hasText && this.#tokenIds.length === 0;
  }

  /** What has gathered. */
  get chunk(): TokenChunk {
    const logprobs = this.#logprobs.length > 0 ? { logprobs: this.#logprobs } : {};
    return { text: this.#text, tokenIds: this.#tokenIds, ...logprobs };
  }

  add(text: string, token: ChosenToken | undefined): void {
    this.#text += this.#begun ? text : text.trimStart();
    this.#begun ||= this.#text !== '';
    if (token !== undefined) this.#tokenIds.push(token.id);
    if (token?.logprob !== undefined) this.#logprobs.push(token.logprob);
  }

  /** It was taken, or nobody wants it. */
  clear(): void {
    this.#text = '';
    this.#tokenIds = [];
    this.#logprobs = [];
  }
}
