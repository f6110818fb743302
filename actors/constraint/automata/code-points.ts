/** Sets of Unicode scalar values as sorted ranges that do not touch. Surrogates belong to no set: UTF-8 has none. */

/** From, to: both belong to it. */
export type CodePointRange = readonly [from: number, to: number];
export type CodePoints = readonly CodePointRange[];

/** Every scalar value. */
export const ANY_CODE_POINT: CodePoints = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** Sorts, joins and takes surrogates out. */
export function codePoints(ranges: readonly CodePointRange[]): CodePoints {
  const sorted = ranges.filter(([from, to]) => from <= to).toSorted((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return intersectCodePoints(joined, ANY_CODE_POINT);
}

export function intersectCodePoints(a: CodePoints, b: CodePoints): CodePoints {
  const both: CodePointRange[] = [];
  let i = 0;
  let j = 0;
  for (let left = a[i], right = b[j]; left !== undefined && right !== undefined; left = a[i], right = b[j]) {
    const from = Math.max(left[0], right[0]);
    const to = Math.min(left[1], right[1]);
    if (from <= to) both.push([from, to]);
    if (left[1] < right[1]) i++;
    else j++;
  }
  return both;
}

export function complementCodePoints(set: CodePoints): CodePoints {
  const gaps: CodePointRange[] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= 0x10ffff) gaps.push([next, 0x10ffff]);
  return intersectCodePoints(gaps, ANY_CODE_POINT);
}

export function hasCodePoint(set: CodePoints, point: number): boolean {
  return set.some(([from, to]) => from <= point && point <= to);
}
