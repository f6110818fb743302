/**
 * The typed seam to `@huggingface/tokenizers`. Its published declarations do not resolve under Node's module
 * rules (relative imports without extension), so what we use of it is declared here.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import type { TokenizerConfig } from './model-config.ts';
import { corruptTokenizer, type TokenizerJson } from './tokenizer-json.ts';

export interface HfTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  id_to_token(id: number): string | undefined;
  decode(ids: readonly number[], options: { readonly clean_up_tokenization_spaces: boolean }): string;
}

/** @throws ModelError MODEL_FILE_CORRUPT */
export function createHfTokenizer(json: TokenizerJson, config: TokenizerConfig, path: string): HfTokenizer {
  try {
    const tokenizer: HfTokenizer = new Tokenizer(json, config);
    return tokenizer;
  } catch (cause) {
    throw corruptTokenizer(path, cause);
  }
}
