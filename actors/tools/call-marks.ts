/**
 * What calls begin and end with. Some tokenizers have these as special tokens, which are no text of an answer otherwise: where
 * there are tools, such a token may come, and its text is what calls are found by.
 */
import { HERMES_BEGIN, HERMES_END } from './parsers/hermes-passage.ts';
import { MISTRAL_ARGUMENTS, MISTRAL_BEGIN } from './parsers/mistral-passage.ts';

const MARKS: ReadonlySet<string> = new Set([HERMES_BEGIN, HERMES_END, MISTRAL_BEGIN, MISTRAL_ARGUMENTS]);

/** @param text of a control token */
export function marksCalls(text: string): boolean {
  return MARKS.has(text);
}
