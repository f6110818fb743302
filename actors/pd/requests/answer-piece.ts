/** What of one answer its consumer has not taken yet: text, its tokens and how likely they were, merged as it gathers. */
import type { SpaceBefore } from '../../constraint/compiled-constraint.ts';
import type { TokenChunk, TokenLogprob } from '../../generation.ts';
import type { ChosenToken } from './choice.ts';

export class AnswerPiece {
  #text = '';
  #tokenIds: number[] = [];
  #logprobs: TokenLogprob[] = [];
  readonly #spaceBefore: SpaceBefore;
  /** Text has come that is part of the answer, or that ends what is dropped before it. */
  #begun = false;

  constructor(spaceBefore: SpaceBefore) {
    this.#spaceBefore = spaceBefore;
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
    this.#text += this.#begun ? text : this.#withoutSpace(text);
    this.#begun ||= this.#text !== '' || (text !== '' && this.#spaceBefore === 'one');
    if (token !== undefined) this.#tokenIds.push(token.id);
    if (token?.logprob !== undefined) this.#logprobs.push(token.logprob);
  }

  /** It was taken, or nobody wants it. */
  clear(): void {
    this.#text = '';
    this.#tokenIds = [];
    this.#logprobs = [];
  }

  #withoutSpace(text: string): string {
    switch (this.#spaceBefore) {
      case 'any':
        return text.trimStart();
      case 'one':
        return text.startsWith(' ') ? text.slice(1) : text;
      case 'none':
        return text;
      default:
        return this.#spaceBefore satisfies never;
    }
  }
}
