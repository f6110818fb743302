/**
 * A byte-level BPE tokenizer of the full vocabulary size: the embedded model's, followed by made-up words that no
 * merge leads to. The generated model answers in those words, each of which is plain text of its own.
 */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })),
  model: z.looseObject({ type: z.literal('BPE'), vocab: z.record(z.string(), z.int()) }),
});

export interface PaddedTokenizer {
  /** Contents of `tokenizer.json`. */
  readonly json: unknown;
  /** Id of the first made-up word; all ids from there on are words. */
  readonly firstWord: number;
  /** @throws Error when the embedded model has no such token */
  idOf(token: string): number;
}

export async function padTokenizer(path: string, vocabulary: number): Promise<PaddedTokenizer> {
  const json = tokenizerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const added = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
  const vocab = { ...json.model.vocab };
  const firstWord = Math.max(...added.values(), ...Object.values(vocab)) + 1;
  for (let id = firstWord; id < vocabulary; id++) vocab[wordOf(id)] = id;
  return {
    json: { ...json, model: { ...json.model, vocab } },
    firstWord,
    idOf: (token) => {
      const id = added.get(token);
      if (id === undefined) throw new Error(`the embedded model's tokenizer has no ${token}`);
      return id;
    },
  };
}

/** `Ġ` is how byte-level vocabularies write the space before a word; `zq` begins no word of theirs. */
function wordOf(id: number): string {
  const letters = [...id.toString(26)].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)));
  return `Ġzq${letters.join('')}`;
}
