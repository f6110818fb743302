/**
 * Text to token ids, for one model: the tokenizer of a model directory behind a typed, small surface. Encoding of
 * prompts with user text in them is `PromptEncoder`'s; the way back is `TokenDecoder`'s.
 */
import { ModelError } from '../errors.ts';
import { ControlTokens } from './control-tokens.ts';
import { createHfTokenizer, type HfTokenizer } from './hf-tokenizer.ts';
import type { ModelDirectory } from './model-directory.ts';
import { createPlainTokenizers, type PlainTokenizers } from './plain-tokenizer.ts';
import { TokenDecoder } from './token-decoder.ts';
import { readTokenizer } from './tokenizer-file.ts';
import type { TokenizerJson, Vocab } from './tokenizer-json.ts';

export class TextTokenizer {
  readonly #full: HfTokenizer;
  readonly #plain: PlainTokenizers;
  readonly #decoder: TokenDecoder;
  readonly #path: string;
  /** Tokens that end an answer. */
  readonly eosTokenIds: readonly number[];
  /** The tokens that steer the model and that user text must never produce. */
  readonly controlTokens: ControlTokens;

  /** Length of the longest piece in the vocabulary: text of n characters takes at least n / this many tokens. */
  readonly longestPiece: number;

  private constructor(json: TokenizerJson, directory: ModelDirectory) {
    this.#path = directory.tokenizerPath;
    this.#full = createHfTokenizer(json, directory.tokenizerConfig, this.#path);
    this.#decoder = new TokenDecoder(this.#full, json);
    this.controlTokens = new ControlTokens(json.added_tokens);
    this.#plain = createPlainTokenizers(json, directory.tokenizerConfig, this.#path);
    this.eosTokenIds = directory.geometry.eosTokenIds;
    this.longestPiece = longestPiece(json.model.vocab);
  }

  /** Reads and builds the tokenizer. @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
  static async load(directory: ModelDirectory): Promise<TextTokenizer> {
    return new TextTokenizer(withSplitMerges(await readTokenizer(directory.tokenizerPath)), directory);
  }

  /**
   * Ids of a stretch of text between control tokens. Text that spells a control token is encoded letter by
   * letter, as the text it is.
   *
   * @param first whether the stretch opens the prompt: some tokenizers mark the beginning of a text
   */
  encodePlain(text: string, first: boolean): number[] {
    const tokenizer = first ? this.#plain.first : this.#plain.rest;
    const ids: readonly (number | undefined)[] = tokenizer.encode(text, { add_special_tokens: false }).ids;
    return ids.map((id) => {
      if (id !== undefined) return id;
      const facts = {
        path: this.#path,
        remedy: 'Use a tokenizer that covers all bytes or has an unknown token.',
      };
      throw new ModelError('MODEL_UNSUPPORTED', 'The vocabulary has no token for some text', facts);
    });
  }

  /**
   * Ids of a whole text, as the reference makes them.
   *
   * @param addSpecial whether the tokenizer's own tokens are put around it
   * @param parseSpecial whether text that spells a control token is that token
   */
  encodeText(text: string, addSpecial: boolean, parseSpecial: boolean): number[] {
    const segments = parseSpecial ? this.controlTokens.split(text) : [{ kind: 'text' as const, text }];
    const ids = segments.flatMap((segment, i) =>
      segment.kind === 'control' ? [segment.id] : this.encodePlain(segment.text, i === 0),
    );
    if (!addSpecial) return ids;
    const { before, after } = this.boundaryTokens();
    return [...before, ...ids, ...after];
  }

  /** The text of ids, control tokens included. */
  decodeText(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.#full.decode(ids, { clean_up_tokenization_spaces: false });
  }

  /** A token as the vocabulary spells it (`Ġis`); undefined for an id that it does not have. */
  pieceOf(id: number): string | undefined {
    return this.#full.id_to_token(id);
  }

  /** A token's own text; bytes of UTF-8 where that is no whole character. */
  textOf(id: number): string | readonly number[] {
    const { text, bytes } = this.#decoder.describe(id);
    return text.includes('\uFFFD') && bytes.length > 0 ? bytes : text;
  }

  /** What the tokenizer itself puts before and after a text (a beginning-of-sequence token, say). */
  boundaryTokens(): { readonly before: readonly number[]; readonly after: readonly number[] } {
    const bare = this.#full.encode('a', { add_special_tokens: false }).ids;
    const full = this.#full.encode('a', { add_special_tokens: true }).ids;
    const extra = full.length - bare.length;
    for (let start = 0; start <= extra; start++) {
      if (bare.every((id, i) => full[start + i] === id)) {
        return { before: full.slice(0, start), after: full.slice(start + bare.length) };
      }
    }
    return { before: [], after: [] };
  }
}

/** In characters; byte-level vocabularies write one per byte, which only makes this larger. */
function longestPiece(vocab: Vocab): number {
  const pieces = Array.isArray(vocab) ? vocab.map(([piece]) => piece) : Object.keys(vocab);
  return pieces.reduce((longest, piece) => Math.max(longest, piece.length), 1);
}

/** Merges as pairs, once for all tokenizers that are made of it; the library would split older files' for each of them. */
function withSplitMerges(json: TokenizerJson): TokenizerJson {
  const { merges } = json.model;
  if (!Array.isArray(merges) || !merges.every((merge) => typeof merge === 'string')) return json;
  return { ...json, model: { ...json.model, merges: merges.map((merge) => merge.split(' ', 2)) } };
}
