/**
 * The tokenizer without its control tokens. Text that spells one (`<image>` typed by a user) comes out as the
 * letters it is made of, because the token exists neither among the added tokens nor in the vocabulary.
 */
import { isControlToken } from './control-tokens.ts';
import { createHfTokenizer, type HfTokenizer } from './hf-tokenizer.ts';
import type { TokenizerConfig } from './model-config.ts';
import type { TokenizerJson, Vocab } from './tokenizer-json.ts';

export interface PlainTokenizers {
  /** For the stretch that opens a prompt. */
  readonly first: HfTokenizer;
  /** For every later one; the same object unless the tokenizer marks the beginning of a text. */
  readonly rest: HfTokenizer;
}

/** @throws ModelError MODEL_FILE_CORRUPT */
export function createPlainTokenizers(
  json: TokenizerJson,
  config: TokenizerConfig,
  path: string,
): PlainTokenizers {
  const plain = withoutControlTokens(json);
  const first = createHfTokenizer(plain, config, path);
  const restPreTokenizer = withoutFirstMark(plain.pre_tokenizer);
  if (restPreTokenizer === plain.pre_tokenizer) return { first, rest: first };
  return { first, rest: createHfTokenizer({ ...plain, pre_tokenizer: restPreTokenizer }, config, path) };
}

function withoutControlTokens(json: TokenizerJson): TokenizerJson {
  const control = new Map(json.added_tokens.filter(isControlToken).map((token) => [token.content, token.id]));
  const rename = (piece: string): string => {
    const id = control.get(piece);
    return id === undefined ? piece : unspeakable(id);
  };
  const unknown = json.model.unk_token;
  return {
    ...json,
    added_tokens: json.added_tokens.filter((token) => !isControlToken(token)),
    // Only encodes bare stretches, so nothing is put around them.
    post_processor: null,
    model: {
      ...json.model,
      vocab: renamePieces(json.model.vocab, rename),
      ...(typeof unknown === 'string' ? { unk_token: rename(unknown) } : {}),
    },
  };
}

function renamePieces(vocab: Vocab, rename: (piece: string) => string): Vocab {
  if (Array.isArray(vocab)) return vocab.map(([piece, score]) => [rename(piece), score]);
  return Object.fromEntries(Object.entries(vocab).map(([piece, id]) => [rename(piece), id]));
}

/** A name that no well-formed text contains: it has a lone surrogate. The id keeps its place in the vocabulary. */
function unspeakable(id: number): string {
  return `\uD800${id}`;
}

/** `prepend_scheme: 'first'` puts a mark before the first stretch only; the later ones are told 'never'. */
function withoutFirstMark(preTokenizer: unknown): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return preTokenizer;
  if ('prepend_scheme' in preTokenizer && preTokenizer.prepend_scheme === 'first') {
    return { ...preTokenizer, prepend_scheme: 'never', add_prefix_space: false };
  }
  if ('pretokenizers' in preTokenizer && Array.isArray(preTokenizer.pretokenizers)) {
    const before: readonly unknown[] = preTokenizer.pretokenizers;
    const after = before.map(withoutFirstMark);
    if (after.some((one, i) => one !== before[i])) return { ...preTokenizer, pretokenizers: after };
  }
  return preTokenizer;
}
