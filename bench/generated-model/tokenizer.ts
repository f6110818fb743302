/**
 * A byte-level BPE tokenizer of the full vocabulary size: the embedded model's, and made-up words after its tokens,
 * with the merges that lead to them. The generated model answers in those words; they are plain text, and an answer
 * that comes back in a later prompt becomes the same tokens again, as with a trained model.
 */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })),
  model: z.looseObject({
    type: z.literal('BPE'),
    vocab: z.record(z.string(), z.int()),
    merges: z.array(
      z.union([z.tuple([z.string(), z.string()]), z.string().transform((merge) => merge.split(' '))]),
    ),
  }),
});

export interface PaddedTokenizer {
  /** Contents of `tokenizer.json`. */
  readonly json: unknown;
  /** Id of the first made-up word; all ids from there on are words. */
  readonly firstWord: number;
  /** @throws Error when there is no such control token */
  idOf(token: string): number;
}

/** `Ġ` is how byte-level vocabularies write the space before a word. */
const STEM = ['Ġ', 'z', 'q'];
const CONSONANTS = [...'zqxjkvwbfgdphmc'];

/** @param controls tokens of the family; those that the embedded model has keep their ids */
export async function padTokenizer(
  path: string,
  vocabulary: number,
  controls: readonly string[] = [],
): Promise<PaddedTokenizer> {
  const json = tokenizerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const added = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
  const vocab = { ...json.model.vocab };
  const firstFree = Math.max(...added.values(), ...Object.values(vocab)) + 1;
  const further = controls.filter((content) => !added.has(content));
  for (const [index, content] of further.entries()) added.set(content, firstFree + index);
  const firstWord = firstFree + further.length;
  const merges = json.model.merges.map((merge) => merge.join(' '));
  let id = firstWord;
  for (const [left, right] of wordMerges(lettersWithoutMerges(json.model.merges))) {
    if (id === vocabulary) break;
    merges.push(`${left} ${right}`);
    vocab[left + right] ??= id++;
  }
  return {
    json: {
      ...json,
      added_tokens: [
        ...json.added_tokens,
        ...further.map((content, index) => controlToken(firstFree + index, content)),
      ],
      model: { ...json.model, vocab, merges },
    },
    firstWord,
    idOf: (token) => {
      const found = added.get(token);
      if (found === undefined) throw new Error(`the tokenizer has no ${token}`);
      return found;
    },
  };
}

function controlToken(id: number, content: string) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Letters no two of which the tokenizer would join before they join a word. */
function lettersWithoutMerges(merges: readonly (readonly string[])[]): string[] {
  const joined = new Set(merges.map(([left, right]) => `${left}${right}`));
  const letters: string[] = [];
  for (const letter of CONSONANTS) {
    const free = [...letters, letter].every(
      (other) => !joined.has(letter + other) && !joined.has(other + letter),
    );
    if (free) letters.push(letter);
  }
  if (letters.length < 2) throw new Error('the embedded model joins all consonants');
  return letters;
}

/** What joins to words without end, shorter ones first: the beginning of each word is a word. */
function* wordMerges(letters: readonly string[]): Generator<[left: string, right: string]> {
  let stem = '';
  for (const letter of STEM) {
    if (stem !== '') yield [stem, letter];
    stem += letter;
  }
  let words = [stem];
  for (;;) {
    const longer: string[] = [];
    for (const word of words) {
      for (const letter of letters) {
        yield [word, letter];
        longer.push(word + letter);
      }
    }
    words = longer;
  }
}
