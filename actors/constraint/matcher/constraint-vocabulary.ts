/** The tokens of one model as constraints see them. Made once for a model, on the thread that decodes. */
import { isControlToken } from '../../model/control-tokens.ts';
import type { TokenizerJson } from '../../model/tokenizer-json.ts';
import { marksCalls } from '../../tools/call-marks.ts';
import { FIRST_CONTROL } from '../grammar/rule-nfa.ts';
import { PackedTexts } from './packed-texts.ts';
import { tokenTexts } from './token-texts.ts';
import { TokenTrie } from './token-trie.ts';

export class ConstraintVocabulary {
  /** Length of the masks in tokens: the logits of one position. */
  readonly size: number;
  readonly eosTokenIds: readonly number[];
  readonly trie: TokenTrie;
  readonly #texts: PackedTexts;
  readonly #shownControls = new Map<string, number>();

  /**
   * Some 100 ms for 50,000 tokens.
   *
   * @param size logits that the model gives for a position; may be more than the tokenizer has tokens
   */
  constructor(json: TokenizerJson, eosTokenIds: readonly number[], size?: number) {
    const texts = tokenTexts(json);
    for (const id of eosTokenIds) texts[id] = undefined;
    // No text in UTF-8 has these bytes, and grammars read control tokens by them.
    for (const [id, text] of texts.entries())
      if (text?.some((byte) => byte >= FIRST_CONTROL)) texts[id] = undefined;
    this.size = size ?? Math.max(texts.length, ...eosTokenIds.map((id) => id + 1));
    texts.length = Math.min(texts.length, this.size);
    this.#texts = new PackedTexts(texts);
    this.trie = new TokenTrie(texts);
    this.eosTokenIds = eosTokenIds.filter((id) => id < this.size);
    for (const token of json.added_tokens) {
      const shown = token.special ? marksCalls(token.content) : isControlToken(token);
      if (shown && token.id < this.size && !eosTokenIds.includes(token.id))
        this.#shownControls.set(token.content, token.id);
    }
  }

  /** The control token that shows as `text` in an answer; one that marks a call shows where the constraint has it. */
  controlOf(text: string): number | undefined {
    return this.#shownControls.get(text);
  }

  /** Texts of control tokens, those that this vocabulary has, by their ids. */
  controlsOf(texts: readonly string[] = []): ReadonlyMap<number, string> {
    return new Map(
      texts.flatMap((text) => {
        const id = this.controlOf(text);
        return id === undefined ? [] : [[id, text]];
      }),
    );
  }

  /** Bytes of a token; `undefined` when it is no text. */
  textOf(token: number): Uint8Array | undefined {
    return this.#texts.of(token);
  }
}
