/** The vocabulary of the embedded model, and answers spelled in it. */
import { compileConstraint } from '../../../../actors/constraint/compile-constraint.ts';
import type { Constraint } from '../../../../actors/constraint/constraint.ts';
import { ConstraintEngine } from '../../../../actors/constraint/constraint-engine.ts';
import { ConstraintVocabulary } from '../../../../actors/constraint/matcher/constraint-vocabulary.ts';
import type { TokenMatcher } from '../../../../actors/constraint/token-matcher.ts';
import { readTokenizer } from '../../../../actors/model/tokenizer-file.ts';

const path = new URL('../../../../models/default/tokenizer.json', import.meta.url).pathname;
const json = await readTokenizer(path);

/** `<|im_end|>`. */
export const EOS = 2;
export const vocabulary = new ConstraintVocabulary(json, [EOS]);
const engine = new ConstraintEngine(vocabulary);

export function matcherOf(constraint: Constraint): TokenMatcher {
  return engine.matcher(compileConstraint(constraint));
}

/** Token by token, by the shortest tokens there are: whether the constraint takes `text` and may end there. */
export function takes(constraint: Constraint, text: string): boolean {
  const matcher = matcherOf(constraint);
  for (const byte of new TextEncoder().encode(text)) {
    const token = tokenOfByte(byte);
    if (!has(matcher.mask(), token)) return false;
    matcher.accept(token);
  }
  return has(matcher.mask(), EOS);
}

/** An answer with the tokens that `choose` picks out of the allowed ones; `undefined` when it does not end. */
export function generate(
  matcher: TokenMatcher,
  choose: (allowed: readonly number[]) => number,
  most: number,
): string | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < most; i++) {
    const token = choose(bitsOf(matcher.mask()));
    matcher.accept(token);
    if (token === EOS) return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
    bytes.push(...(vocabulary.textOf(token) ?? []));
  }
  return undefined;
}

export function has(mask: Uint32Array, token: number): boolean {
  return (((mask[token >> 5] ?? 0) >>> (token & 31)) & 1) === 1;
}

export function bitsOf(mask: Uint32Array): number[] {
  const bits: number[] = [];
  for (let token = 0; token < vocabulary.size; token++) if (has(mask, token)) bits.push(token);
  return bits;
}

const singles = new Map<number, number>();
for (let token = 0; token < vocabulary.size; token++) {
  const text = vocabulary.textOf(token);
  if (text?.length === 1 && text[0] !== undefined) singles.set(text[0], token);
}

function tokenOfByte(byte: number): number {
  const token = singles.get(byte);
  if (token === undefined) throw new Error(`no token for byte ${byte}`);
  return token;
}
