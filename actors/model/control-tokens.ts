/**
 * Control tokens: the added tokens of a tokenizer, which open a turn, end an answer or stand for an image. They
 * are found in a prompt by their text, so they must only be looked for where the text is the template's own.
 */
import type { AddedToken } from './tokenizer-json.ts';

/** A stretch of a prompt: text to encode, or one control token. */
export type PromptSegment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'control'; readonly id: number };

export class ControlTokens {
  readonly #byContent: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | null;
  /** Every control token's text. */
  readonly contents: readonly string[];
  /** Those that an answer shows: decoding does not leave them out. */
  readonly shown: readonly string[];

  constructor(addedTokens: readonly AddedToken[]) {
    const control = addedTokens.filter(isControlToken);
    this.#byContent = new Map(control.map((token) => [token.content, token]));
    this.contents = [...this.#byContent.keys()];
    this.shown = control.filter(({ special }) => !special).map(({ content }) => content);
    // Alternatives are tried in order: longest first gives the reference's leftmost-longest match.
    const longestFirst = this.contents.toSorted((a, b) => b.length - a.length);
    this.#pattern =
      longestFirst.length === 0 ? null : new RegExp(longestFirst.map(escapePattern).join('|'), 'gu');
  }

  /** The id of the control token with this text, if there is one. */
  idOf(content: string): number | undefined {
    return this.#byContent.get(content)?.id;
  }

  /** Cuts `text` at its control tokens; stretches of text come without the spaces that a token swallows. */
  split(text: string): PromptSegment[] {
    const segments: PromptSegment[] = [];
    let start = 0;
    let swallowSpace = false;
    const pushText = (end: number, trimEnd: boolean): void => {
      let piece = text.slice(start, end);
      if (swallowSpace) piece = piece.trimStart();
      if (trimEnd) piece = piece.trimEnd();
      if (piece !== '') segments.push({ kind: 'text', text: piece });
    };
    for (const match of this.#pattern === null ? [] : text.matchAll(this.#pattern)) {
      const token = this.#byContent.get(match[0]);
      const end = match.index + match[0].length;
      if (token === undefined || (token.single_word && touchesWord(text, match.index, end))) continue;
      pushText(match.index, token.lstrip);
      segments.push({ kind: 'control', id: token.id });
      swallowSpace = token.rstrip;
      start = end;
    }
    pushText(text.length, false);
    return segments;
  }
}

/**
 * Whether an added token steers the model. Some vocabularies add runs of white space as ordinary tokens; these
 * carry no meaning of their own and stay available to user text.
 */
export function isControlToken(token: AddedToken): boolean {
  return token.special || token.content.trim() !== '';
}

/** True when a letter, digit or underscore stands right before `start` or at `end` (one code point, two units). */
function touchesWord(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 2), start);
  return /[\p{L}\p{N}_]$/u.test(before) || /^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2));
}

/** `RegExp.escape` for the characters that mean something in a pattern with the `u` flag. */
function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
