/** The named sets of code points in patterns: `\d`, `\w`, `\s`, `.`, `\p{…}`. */
import {
  type CodePointRange,
  type CodePoints,
  codePoints,
  complementCodePoints,
} from '../automata/code-points.ts';

const DIGITS = codePoints([[0x30, 0x39]]);
const WORD = codePoints([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
/** WhiteSpace and LineTerminator of ECMA-262. */
const SPACE = codePoints([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);

/** `.` without the flag `s`: all but line terminators. */
export const DOT = complementCodePoints(
  codePoints([
    [0x0a, 0x0a],
    [0x0d, 0x0d],
    [0x2028, 0x2029],
  ]),
);

const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGITS,
  D: complementCodePoints(DIGITS),
  w: WORD,
  W: complementCodePoints(WORD),
  s: SPACE,
  S: complementCodePoints(SPACE),
};

/** The set of `\d` and its like, by the letter. */
export function escapedClass(letter: string): CodePoints | undefined {
  return Object.hasOwn(CLASSES, letter) ? CLASSES[letter] : undefined;
}

const BLOCK = 0x1000;
const properties = new Map<string, CodePoints>();

/**
 * The code points of `\p{name}`, asked of the engine's own tables once a name. `undefined`: there is no such property.
 * Some 20 ms for a name; there are a few hundred names.
 */
export function propertyClass(name: string): CodePoints | undefined {
  const known = properties.get(name);
  if (known !== undefined) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${name}}+`, 'gu');
  } catch {
    return undefined;
  }
  const ranges: CodePointRange[] = [];
  for (let start = 0; start <= 0x10ffff; start += BLOCK) {
    if (start >= 0xd000 && start < 0xe000) addRuns(runs, start, 0x800, ranges);
    else addRuns(runs, start, BLOCK, ranges);
  }
  const set = codePoints(ranges);
  properties.set(name, set);
  return set;
}

/** One block as a text: where a run of matches begins and ends in it tells the code points. */
function addRuns(runs: RegExp, start: number, length: number, ranges: CodePointRange[]): void {
  const points = Array.from({ length }, (_, i) => start + i);
  const units = start >= 0x10000 ? 2 : 1;
  for (const run of String.fromCodePoint(...points).matchAll(runs)) {
    const from = start + run.index / units;
    ranges.push([from, from + run[0].length / units - 1]);
  }
}
