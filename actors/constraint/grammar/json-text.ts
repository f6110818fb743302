/**
 * JSON as answers write it, one text for each string: what must be escaped is escaped as `JSON.stringify` does, all else
 * stands as it is. Behind `:` and `,` one space may come, nowhere else, so that no answer goes on in white space.
 */
import type { RuleNfa } from './rule-nfa.ts';

const SHORT: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** One code point of the range `from` to `to`, inside of a string. */
export function writeJsonCharacter(
  nfa: RuleNfa,
  source: number,
  from: number,
  to: number,
  target: number,
): void {
  let next = from;
  for (const special of [...Array(0x20).keys(), 34, 92]) {
    if (special < next || special > to) continue;
    if (special > next) nfa.codePoint(source, next, special - 1, target);
    nfa.text(source, SHORT[special] ?? `\\u${special.toString(16).padStart(4, '0')}`, target);
    next = special + 1;
  }
  if (next <= to) nfa.codePoint(source, next, to, target);
}

/** One code point as it is. */
export function writeCharacter(nfa: RuleNfa, source: number, from: number, to: number, target: number): void {
  nfa.codePoint(source, from, to, target);
}

/** `:` or `,`, and a space if it likes. */
export function writeSeparator(nfa: RuleNfa, source: number, separator: ':' | ',', target: number): void {
  const behind = nfa.state();
  nfa.text(source, separator, behind);
  nfa.text(behind, ' ', target);
  nfa.pass(behind, target);
}

/** A value as one text, with no white space; the separators inside may have a space as everywhere. */
export function writeValue(nfa: RuleNfa, source: number, value: unknown, target: number): void {
  const entries: (readonly [string | undefined, unknown])[] | undefined = Array.isArray(value)
    ? value.map((item: unknown) => [undefined, item] as const)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : undefined;
  if (entries === undefined) {
    nfa.text(source, JSON.stringify(value), target);
    return;
  }
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  let at = nfa.state();
  nfa.text(source, open, at);
  for (const [i, [key, item]] of entries.entries()) {
    const step = (write: (from: number, to: number) => void): void => {
      const next = nfa.state();
      write(at, next);
      at = next;
    };
    if (i > 0) step((from, to) => writeSeparator(nfa, from, ',', to));
    if (key !== undefined) {
      step((from, to) => nfa.text(from, JSON.stringify(key), to));
      step((from, to) => writeSeparator(nfa, from, ':', to));
    }
    step((from, to) => writeValue(nfa, from, item, to));
  }
  nfa.text(at, close, target);
}
