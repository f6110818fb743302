/**
 * Keeps user text from forging control tokens. A chat template mixes its own text, where `<image>` is a control
 * token, with user text, where it is seven letters. Before rendering, the first and last visible character of
 * every control token (`<` and `>`, mostly) is replaced in user text by a private-use character that occurs
 * nowhere in the request. In the rendered prompt a control token can then neither begin nor end in user text:
 * not when it is typed whole, not when it is put together from two parts, not across the template's boundary.
 * After the prompt has been cut at its control tokens the characters are put back, so the text that is encoded is
 * exactly the user's, and its tokens merge across the boundary as they would in the reference.
 */
import { InputError } from '../errors.ts';

/** Private-use code points: [first, last] of each block. */
const PRIVATE_USE = [
  [0xe000, 0xf8ff],
  [0xf0000, 0xffffd],
  [0x100000, 0x10fffd],
] as const;

export interface ShieldedTexts {
  readonly texts: readonly string[];
  /** The same of one of the texts, or of a part of one. */
  cover(text: string): string;
  /** Puts the user's characters back into text that was made from `texts`. */
  restore(text: string): string;
}

export class UserTextShield {
  readonly #guarded: ReadonlySet<string>;
  readonly #reserved: ReadonlySet<string>;

  /**
   * @param controlTokens the texts of all control tokens
   * @param templateSource the chat template; a stand-in must not occur in what it writes
   */
  constructor(controlTokens: readonly string[], templateSource: string) {
    this.#guarded = new Set(controlTokens.flatMap(outerCharacters));
    this.#reserved = new Set([templateSource, ...controlTokens].flatMap((text) => [...text]));
  }

  /** @throws InputError INVALID_CONTENT when the texts use up every private-use character. */
  shield(texts: readonly string[]): ShieldedTexts {
    const used = new Set(texts.flatMap((text) => [...text]));
    const standIns = new Map<string, string>();
    const originals = new Map<string, string>();
    const free = this.#freeCharacters(used);
    for (const character of this.#guarded) {
      if (!used.has(character)) continue;
      const standIn = free.next().value;
      if (standIn === undefined) throw noFreeCharacter();
      standIns.set(character, standIn);
      originals.set(standIn, character);
    }
    const cover = (text: string) => replaceCharacters(text, standIns);
    return {
      texts: texts.map(cover),
      cover,
      restore: (text) => replaceCharacters(text, originals),
    };
  }

  *#freeCharacters(used: ReadonlySet<string>): Generator<string, undefined> {
    for (const [first, last] of PRIVATE_USE) {
      for (let codePoint = first; codePoint <= last; codePoint++) {
        const character = String.fromCodePoint(codePoint);
        if (!used.has(character) && !this.#reserved.has(character)) yield character;
      }
    }
  }
}

/** White space is left alone: templates trim it, and a token that begins with it has a visible character too. */
function outerCharacters(token: string): string[] {
  const visible = [...token.trim()];
  return [visible.at(0), visible.at(-1)].filter((character) => character !== undefined);
}

function replaceCharacters(text: string, replacements: ReadonlyMap<string, string>): string {
  if (replacements.size === 0) return text;
  let replaced = '';
  for (const character of text) replaced += replacements.get(character) ?? character;
  return replaced;
}

function noFreeCharacter(): InputError {
  return new InputError('INVALID_CONTENT', 'the text uses every private-use character of Unicode', {
    field: 'messages',
    value: null,
    remedy: 'Remove private-use characters (U+E000 to U+F8FF and planes 15 and 16) from the text.',
  });
}
