/**
 * Token ids back to text, without what it takes to make ids of text: PD needs this half alone, and a vocabulary's
 * merges would be most of what its thread keeps and its collector walks through several times a second.
 */

import { createHfTokenizer, type HfTokenizer } from './hf-tokenizer.ts';
import type { ModelDirectory } from './model-directory.ts';
import { type Spelling, spelling } from './token-bytes.ts';
import { readTokenizer } from './tokenizer-file.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

/** A token by itself. */
export interface DescribedToken {
  readonly id: number;
  /** Where it is a part of a character alone, U+FFFD stands for that. */
  readonly text: string;
  /** UTF-8, exact; none for a special token, which is no part of a text, and for an id that the tokenizer does not know. */
  readonly bytes: readonly number[];
}

const UTF8 = new TextEncoder();

export class TokenDecoder {
  readonly #tokenizer: HfTokenizer;
  readonly #special: ReadonlySet<number>;
  /** Spelled as they are, whatever the vocabulary's way of spelling is. */
  readonly #added: ReadonlyMap<number, string>;
  readonly #spell: Spelling;
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(tokenizer: HfTokenizer, json: TokenizerJson) {
    const { added_tokens } = json;
    this.#tokenizer = tokenizer;
    this.#special = new Set(added_tokens.filter((token) => token.special).map((token) => token.id));
    this.#added = new Map(added_tokens.map(({ id, content }) => [id, content]));
    this.#spell = spelling(json);
  }

  /** @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
  static async load(directory: ModelDirectory): Promise<TokenDecoder> {
    const json = await readTokenizer(directory.tokenizerPath);
    const half = withoutMerges(json);
    return new TokenDecoder(
      createHfTokenizer(half, directory.tokenizerConfig, directory.tokenizerPath),
      json,
    );
  }

  /**
   * The text of `ids`, special tokens left out. The historical clean-up of spaces before English punctuation is
   * never applied: it cannot be streamed and changes what the model said.
   */
  decode(ids: readonly number[]): string {
    const kept = ids.filter((id) => !this.isSpecial(id));
    return kept.length === 0 ? '' : this.#tokenizer.decode(kept, { clean_up_tokenization_spaces: false });
  }

  describe(id: number): DescribedToken {
    const added = this.#added.get(id);
    if (added !== undefined) {
      return { id, text: added, bytes: this.isSpecial(id) ? [] : [...UTF8.encode(added)] };
    }
    const piece = this.#tokenizer.id_to_token(id);
    if (piece === undefined) return { id, text: '', bytes: [] };
    const bytes = this.#spell(piece);
    return { id, text: this.#text.decode(bytes), bytes: [...bytes] };
  }

  /** True for a token that `decode` leaves out. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}

function withoutMerges(json: TokenizerJson): TokenizerJson {
  return 'merges' in json.model ? { ...json, model: { ...json.model, merges: [] } } : json;
}
