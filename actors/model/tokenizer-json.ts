/** What `tokenizer.json` holds. */
import * as z from 'zod';
import { ModelError } from '../errors.ts';

const addedTokenSchema = z.object({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean().default(false),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
});
/** A token that is matched in the text before the model's own splitting. */
export type AddedToken = z.infer<typeof addedTokenSchema>;

const vocabSchema = z.union([z.record(z.string(), z.int()), z.array(z.tuple([z.string(), z.number()]))]);
/** Byte-pair and word-piece models map a piece to its id; unigram models list pieces with their scores. */
export type Vocab = z.infer<typeof vocabSchema>;

const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(z.looseObject(addedTokenSchema.shape)).default([]),
  pre_tokenizer: z.unknown().default(null),
  decoder: z.unknown().default(null),
  model: z.looseObject({ vocab: vocabSchema, unk_token: z.string().nullish() }),
});
/** `tokenizer.json`: what we read is typed, the rest is passed on as it is. */
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

/** @throws ModelError MODEL_FILE_CORRUPT */
export function parseTokenizerJson(text: string, path: string): TokenizerJson {
  try {
    return tokenizerJsonSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw corruptTokenizer(path, cause);
  }
}

export function corruptTokenizer(path: string, cause: unknown): ModelError {
  const facts = { path, remedy: 'Download the model again.' };
  return new ModelError('MODEL_FILE_CORRUPT', 'The tokenizer cannot be built from its file', facts, cause);
}
