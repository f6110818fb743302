/**
 * Token ids back to text, without what it takes to make ids of text: PD needs this half alone, and a vocabulary's
 * merges would be most of what its thread keeps and its collector walks through several times a second.
 */

import { createHfTokenizer, type HfTokenizer } from './hf-tokenizer.ts';
import type { ModelDirectory } from './model-directory.ts';
import { readTokenizer } from './tokenizer-file.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

export class TokenDecoder {
  readonly #tokenizer: HfTokenizer;
  readonly #special: ReadonlySet<number>;

  constructor(tokenizer: HfTokenizer, { added_tokens }: TokenizerJson) {
    this.#tokenizer = tokenizer;
    this.#special = new Set(added_tokens.filter((token) => token.special).map((token) => token.id));
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

  /** True for a token that `decode` leaves out. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}

function withoutMerges(json: TokenizerJson): TokenizerJson {
  return 'merges' in json.model ? { ...json, model: { ...json.model, merges: [] } } : json;
}
