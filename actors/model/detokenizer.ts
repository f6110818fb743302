/**
 * Token ids to text, one at a time, for streaming. A character may span several tokens and a token's text may
 * depend on the one before it, so text is released only once it can no longer change. Only a short window of
 * tokens is decoded at each step, whatever the length of the answer:
 *
 *     …  released earlier  │ context │ pending │
 *                          └───── window ──────┘   text(window) minus what was released = new text
 */
import type { TokenDecoder } from './token-decoder.ts';

/** What a decoder puts for bytes that are no character, or not one yet. */
const REPLACEMENT = '\uFFFD';
/** A character has at most four bytes and a token at least one: with more pending, only the tail can change. */
const MAX_TOKENS_PER_CHARACTER = 4;
/** Only bytes that never become characters let the window grow to this many tokens. */
const MAX_WINDOW = 16;

/** The part of `TokenDecoder` that is used here. */
export type DecodesTokens = Pick<TokenDecoder, 'decode' | 'isSpecial'>;

export class Detokenizer {
  readonly #tokenizer: DecodesTokens;
  readonly #shown: ReadonlyMap<number, string>;
  /** Tokens still decoded at each step: context, then pending ones. */
  #window: number[] = [];
  /** How many of the window's tokens are context: released, kept because the next token's text may hang on them. */
  #context = 0;
  /** Length of that part of the window's text which has been released. */
  #released = 0;

  /** @param shown special tokens that have text all the same */
  constructor(tokenizer: DecodesTokens, shown: ReadonlyMap<number, string> = new Map()) {
    this.#tokenizer = tokenizer;
    this.#shown = shown;
  }

  /**
   * Adds one generated token and returns the text that became certain, often the token's own, '' while a
   * character is incomplete. Special tokens have no text, but those that are shown.
   */
  push(tokenId: number): string {
    if (this.#tokenizer.isSpecial(tokenId)) {
      const text = this.#shown.get(tokenId);
      return text === undefined ? '' : this.flush() + text;
    }
    this.#window.push(tokenId);
    const text = this.#tokenizer.decode(this.#window);
    if (!text.endsWith(REPLACEMENT)) return this.#releaseAll(text);
    if (this.#window.length - this.#context <= MAX_TOKENS_PER_CHARACTER) return '';
    return this.#releaseBroken(text);
  }

  /** Ends the stream: the rest of the text, with U+FFFD for a character that stayed incomplete. */
  flush(): string {
    const rest = this.#tokenizer.decode(this.#window).slice(this.#released);
    this.#window = [];
    this.#context = 0;
    this.#released = 0;
    return rest;
  }

  /** The window ends between two characters: its pending tokens become the context of the next ones. */
  #releaseAll(text: string): string {
    const fresh = text.slice(this.#released);
    this.#window = this.#window.slice(this.#context);
    this.#context = this.#window.length;
    this.#released = this.#tokenizer.decode(this.#window).length;
    return fresh;
  }

  /** Too many pending tokens for one character: all but the last replacement character is certain. */
  #releaseBroken(text: string): string {
    const certain = text.length - REPLACEMENT.length;
    const fresh = text.slice(this.#released, certain);
    this.#released = Math.max(this.#released, certain);
    if (this.#window.length > MAX_WINDOW) this.#dropFront(text);
    return fresh;
  }

  /** Forgets released tokens at the front, at a place where cutting does not change the text of either part. */
  #dropFront(text: string): void {
    for (let cut = MAX_WINDOW / 2; cut < MAX_WINDOW / 2 + MAX_TOKENS_PER_CHARACTER; cut++) {
      const front = this.#tokenizer.decode(this.#window.slice(0, cut));
      if (front + this.#tokenizer.decode(this.#window.slice(cut)) !== text) continue;
      this.#window = this.#window.slice(cut);
      this.#context = Math.max(0, this.#context - cut);
      this.#released -= front.length;
      return;
    }
  }
}
