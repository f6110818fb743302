/** Ids of tokens that a model's files know by name alone. `tokenizer.json` can be large: for a thread that may be busy. */
import { readTokenizer } from './tokenizer-file.ts';

export interface TokensToFind {
  /** Of `tokenizer.json`. */
  readonly path: string;
  /** Texts of tokens. */
  readonly names: readonly string[];
}

/** Id by name; without the names that the tokenizer does not know. */
export type TokenIds = Readonly<Record<string, number>>;

/** @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
export async function readTokenIds({ path, names }: TokensToFind): Promise<TokenIds> {
  const { added_tokens, model } = await readTokenizer(path);
  const added = new Map(added_tokens.map(({ content, id }) => [content, id]));
  const { vocab } = model;
  const idOf = (name: string): number | undefined => {
    const own = added.get(name);
    if (own !== undefined) return own;
    if (!Array.isArray(vocab)) return Object.hasOwn(vocab, name) ? vocab[name] : undefined;
    const index = vocab.findIndex(([piece]) => piece === name);
    return index < 0 ? undefined : index;
  };
  const found = names.flatMap((name) => {
    const id = idOf(name);
    return id === undefined ? [] : [[name, id] as const];
  });
  return Object.fromEntries(found);
}
