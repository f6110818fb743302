/**
 * Ranges of code points as ranges of bytes in UTF-8. A range is cut where the length of the encoding changes and where a
 * continuation byte would not take all of its values; each piece is then one sequence of byte ranges.
 */

/** From, to. */
export type ByteRange = readonly [from: number, to: number];

const LENGTH_BOUNDS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** Sequences of byte ranges which together spell exactly the code points `from` to `to` (no surrogates among them). */
export function utf8Ranges(from: number, to: number): ByteRange[][] {
  const sequences: ByteRange[][] = [];
  let start = from;
  for (const bound of LENGTH_BOUNDS) {
    if (start > bound || start > to) continue;
    const end = Math.min(to, bound);
    cut(start, end, sequences);
    start = end + 1;
  }
  return sequences;
}

/** Both ends have the same number of bytes. */
function cut(from: number, to: number, sequences: ByteRange[][]): void {
  const first = encode(from);
  const last = encode(to);
  for (let continuation = 1; continuation < first.length; continuation++) {
    const low = (1 << (6 * continuation)) - 1;
    if ((from & ~low) === (to & ~low)) continue;
    if ((from & low) !== 0) {
      cut(from, from | low, sequences);
      cut((from | low) + 1, to, sequences);
      return;
    }
    if ((to & low) !== low) {
      cut(from, (to & ~low) - 1, sequences);
      cut(to & ~low, to, sequences);
      return;
    }
  }
  sequences.push(first.map((byte, i) => [byte, last[i] ?? byte]));
}

function encode(point: number): number[] {
  if (point <= 0x7f) return [point];
  if (point <= 0x7ff) return [0xc0 | (point >> 6), 0x80 | (point & 63)];
  if (point <= 0xffff) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
}
