/** Reading `tokenizer.json`. */
import { readFile } from 'node:fs/promises';
import { ModelError } from '../errors.ts';
import { parseTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';

/** @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
export async function readTokenizer(path: string): Promise<TokenizerJson> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const facts = { path, remedy: 'Download the model again.' };
    throw new ModelError('MODEL_FILE_MISSING', 'The tokenizer cannot be read', facts, cause);
  }
  return parseTokenizerJson(text, path);
}
