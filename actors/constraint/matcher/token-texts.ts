/**
 * The bytes that each token adds to an answer, read from what `tokenizer.json` says of decoding. Tokens that are no text
 * (control tokens; those that decoding leaves out) have none, so that constrained text can never contain them.
 */
import { isControlToken } from '../../model/control-tokens.ts';
import { spelling } from '../../model/token-bytes.ts';
import type { TokenizerJson, Vocab } from '../../model/tokenizer-json.ts';

const utf8 = new TextEncoder();

/** By token id; `undefined` for a token that is no text, or when nothing has this id. */
export function tokenTexts(json: TokenizerJson): (Uint8Array | undefined)[] {
  const spell = spelling(json);
  const texts: (Uint8Array | undefined)[] = [];
  for (const [piece, id] of pieces(json.model.vocab)) texts[id] = spell(piece);
  for (const token of json.added_tokens) {
    texts[token.id] = isControlToken(token) ? undefined : utf8.encode(token.content);
  }
  const unknown = json.model.unk_token;
  if (typeof unknown === 'string') {
    for (const [piece, id] of pieces(json.model.vocab)) if (piece === unknown) texts[id] = undefined;
  }
  return Array.from(texts);
}

function pieces(vocab: Vocab): Iterable<readonly [string, number]> {
  return Array.isArray(vocab) ? vocab.map(([piece], id) => [piece, id] as const) : Object.entries(vocab);
}
