/** What a regular expression is once it is read. */
import { ANY_CODE_POINT, type CodePoints } from '../automata/code-points.ts';

export type RegexNode =
  | { readonly kind: 'chars'; readonly set: CodePoints }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  /** `max` may be `Infinity`. */
  | { readonly kind: 'repeat'; readonly of: RegexNode; readonly min: number; readonly max: number }
  | { readonly kind: 'anchor'; readonly at: 'start' | 'end' }
  | { readonly kind: 'look-ahead'; readonly negative: boolean; readonly of: RegexNode };

export const NOTHING: RegexNode = { kind: 'sequence', parts: [] };

/** Any text. */
export const ANY_TEXT: RegexNode = {
  kind: 'repeat',
  of: { kind: 'chars', set: ANY_CODE_POINT },
  min: 0,
  max: Number.POSITIVE_INFINITY,
};
