/** The tokens of one model as constraints see them. Made once for a model, on the thread that decodes. */
import type { TokenizerJson } from '../../model/tokenizer-json.ts';
import { tokenTexts } from './token-texts.ts';
import { TokenTrie } from './token-trie.ts';

export class ConstraintVocabulary {
  /** Length of the masks in tokens: the logits of one position. */
  readonly size: number;
  readonly eosTokenIds: readonly number[];
  readonly trie: TokenTrie;
  readonly #texts: readonly (Uint8Array | undefined)[];

  /**
   * Some 100 ms for 50,000 tokens.
   *
   * @param size logits that the model gives for a position; may be more than the tokenizer has tokens
   */
  constructor(json: TokenizerJson, eosTokenIds: readonly number[], size?: number) {
    const texts = tokenTexts(json);
    for (const id of eosTokenIds) texts[id] = undefined;
    this.size = size ?? Math.max(texts.length, ...eosTokenIds.map((id) => id + 1));
    this.#texts = texts.slice(0, this.size);
    this.trie = new TokenTrie(this.#texts);
    this.eosTokenIds = eosTokenIds.filter((id) => id < this.size);
  }

  /** Bytes of a token; `undefined` when it is no text. */
  textOf(token: number): Uint8Array | undefined {
    return this.#texts[token];
  }
}
