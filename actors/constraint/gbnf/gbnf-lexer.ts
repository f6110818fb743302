/** The pieces of a GBNF text: names, texts, sets of characters, signs. Comments and white space are left out. */
import {
  type CodePointRange,
  type CodePoints,
  codePoints,
  complementCodePoints,
} from '../automata/code-points.ts';

export type GbnfPiece = { readonly line: number } & (
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'chars'; readonly set: CodePoints }
  | { readonly kind: 'repeat'; readonly min: number; readonly max: number }
  | { readonly kind: 'sign'; readonly sign: '(' | ')' | '|' | '::=' }
);

/** What the text has instead of a piece, and in which line. */
export class GbnfFault extends Error {
  readonly line: number;
  constructor(problem: string, line: number) {
    super(problem);
    this.line = line;
  }
}

const REPEATS: Readonly<Record<string, readonly [number, number]>> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
};
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** @throws GbnfFault */
export function gbnfPieces(grammar: string): GbnfPiece[] {
  const pieces: GbnfPiece[] = [];
  let at = 0;
  let line = 1;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(grammar);
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < grammar.length) {
    const space = match(/(?:\s|#[^\n]*)+/y);
    if (space !== null) {
      line += space[0].split('\n').length - 1;
      continue;
    }
    const sign = match(/::=|[()|]/y)?.[0];
    if (sign === '(' || sign === ')' || sign === '|' || sign === '::=') {
      pieces.push({ kind: 'sign', sign, line });
      continue;
    }
    const name = match(/[A-Za-z\d_-]+/y);
    if (name !== null) {
      pieces.push({ kind: 'name', name: name[0], line });
      continue;
    }
    const text = match(/"((?:[^"\\]|\\.)*)"/sy);
    if (text !== null) {
      pieces.push({ kind: 'text', text: characters(text[1] ?? '', line).join(''), line });
      continue;
    }
    const set = match(/\[(\^?)((?:[^\]\\]|\\.)*)\]/sy);
    if (set !== null) {
      const points = ranges(set[2] ?? '', line);
      pieces.push({ kind: 'chars', set: set[1] === '^' ? complementCodePoints(points) : points, line });
      continue;
    }
    if (match(/\./y) !== null) {
      pieces.push({ kind: 'chars', set: complementCodePoints([]), line });
      continue;
    }
    const [min, max] =
      REPEATS[match(/[*+?]/y)?.[0] ?? ''] ?? counts(match(/\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}/y)) ?? [];
    if (min === undefined || max === undefined) {
      throw new GbnfFault(`unexpected ${JSON.stringify(grammar.slice(at, at + 20))}`, line);
    }
    pieces.push({ kind: 'repeat', min, max, line });
  }
  return pieces;
}

function counts(braces: RegExpExecArray | null): readonly [number, number] | undefined {
  if (braces === null) return undefined;
  const min = Number(braces[1]);
  if (braces[2] === undefined) return [min, min];
  return [min, braces[3] === '' || braces[3] === undefined ? Number.POSITIVE_INFINITY : Number(braces[3])];
}

/** Escapes undone. */
function characters(text: string, line: number): string[] {
  const found: string[] = [];
  const pattern = /\\x([\da-fA-F]{2})|\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})|\\([nrt"\\[\]^-])|(\\)|([^\\])/gu;
  for (const [all, x, u, long, escaped, stray] of text.matchAll(pattern)) {
    const hex = x ?? u ?? long;
    if (stray !== undefined) throw new GbnfFault('an escape that is not known', line);
    if (hex !== undefined) {
      const point = Number.parseInt(hex, 16);
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        throw new GbnfFault(`the code point ${hex}, which is no character`, line);
      }
      found.push(String.fromCodePoint(point));
    } else found.push(escaped === undefined ? all : (ESCAPES[escaped] ?? escaped));
  }
  return found;
}

function ranges(text: string, line: number): CodePoints {
  // A `-` that is escaped is no range: it is told apart before escapes are undone.
  const members = text.match(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)|[^\\]/gsu) ?? [];
  const pointOf = (member: string): number => characters(member, line)[0]?.codePointAt(0) ?? 0;
  const found: CodePointRange[] = [];
  for (let i = 0; i < members.length; i++) {
    const from = pointOf(members[i] ?? '');
    const end = members[i + 2];
    if (members[i + 1] === '-' && end !== undefined) {
      const to = pointOf(end);
      if (to < from) throw new GbnfFault('a range that ends before it begins', line);
      found.push([from, to]);
      i += 2;
    } else found.push([from, from]);
  }
  return codePoints(found);
}
