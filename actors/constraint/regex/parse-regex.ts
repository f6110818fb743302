/**
 * Regular expressions of ECMAScript with Unicode (flag `u`; escapes of punctuation that `u` forbids are taken too, as
 * schemas made by other languages have them). What no automaton can do is refused by name: back-references, look-behind,
 * word boundaries, modifiers. Look-ahead is read; `regex-language.ts` says where it can be honoured.
 */
import { type CodePointRange, codePoints, complementCodePoints } from '../automata/code-points.ts';
import { constraintError } from '../constraint-errors.ts';
import { DOT, escapedClass, propertyClass } from './char-class.ts';
import { NOTHING, type RegexNode } from './regex-node.ts';

/** Groups within groups. */
const MAX_DEPTH = 100;
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, '0': 0 };

/**
 * @param field what errors name
 *
 * @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE
 */
export function parseRegex(pattern: string, field: string): RegexNode {
  if (!compiles(pattern, 'u') && !compiles(pattern, '')) {
    throw constraintError({
      code: 'CONSTRAINT_INVALID',
      field,
      problem: 'is not a regular expression',
      value: pattern,
      remedy: 'Give a pattern of ECMAScript.',
    });
  }
  return new RegexParser(pattern, field).parse();
}

function compiles(pattern: string, flags: string): boolean {
  try {
    new RegExp(pattern, flags);
    return true;
  } catch {
    return false;
  }
}

class RegexParser {
  readonly #points: readonly string[];
  readonly #pattern: string;
  readonly #field: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string, field: string) {
    this.#points = [...pattern];
    this.#pattern = pattern;
    this.#field = field;
  }

  parse(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#points.length) throw this.#refused('an unpaired parenthesis');
    return node;
  }

  #choice(): RegexNode {
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    return options.length === 1 ? (options[0] ?? NOTHING) : { kind: 'choice', options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (;;) {
      const next = this.#points[this.#at];
      if (next === undefined || next === '|' || next === ')') break;
      parts.push(this.#quantified(this.#atom()));
    }
    return parts.length === 1 ? (parts[0] ?? NOTHING) : { kind: 'sequence', parts };
  }

  #quantified(of: RegexNode): RegexNode {
    const counts = this.#quantifier();
    if (counts === undefined) return of;
    // Greed says which match is found, not whether there is one.
    this.#take('?');
    const [min, max] = counts;
    if (of.kind === 'look-ahead' || of.kind === 'anchor') throw this.#refused('a repeated assertion');
    return { kind: 'repeat', of, min, max };
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#points.slice(this.#at, this.#at + 40).join(''));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #atom(): RegexNode {
    const next = this.#points[this.#at++] ?? '';
    switch (next) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '.':
        return { kind: 'chars', set: DOT };
      case '^':
        return { kind: 'anchor', at: 'start' };
      case '$':
        return { kind: 'anchor', at: 'end' };
      case '\\':
        return this.#escape();
      default:
        return one(next.codePointAt(0) ?? 0);
    }
  }

  #group(): RegexNode {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) {
      throw constraintError({
        code: 'CONSTRAINT_TOO_LARGE',
        field: this.#field,
        problem: 'nests groups too deeply',
        value: this.#pattern,
        remedy: `Nest at most ${MAX_DEPTH}.`,
      });
    }
    let wrap = (node: RegexNode): RegexNode => node;
    if (this.#take('?')) {
      if (this.#take('=')) wrap = (of) => ({ kind: 'look-ahead', negative: false, of });
      else if (this.#take('!')) wrap = (of) => ({ kind: 'look-ahead', negative: true, of });
      else if (this.#take('<')) this.#groupName();
      else if (!this.#take(':')) throw this.#refused('modifiers of flags');
    }
    const node = wrap(this.#choice());
    if (!this.#take(')')) throw this.#refused('an unpaired parenthesis');
    this.#depth--;
    return node;
  }

  #groupName(): void {
    if (this.#take('=') || this.#take('!')) throw this.#refused('look-behind');
    while (this.#at < this.#points.length && !this.#take('>')) this.#at++;
  }

  #escape(): RegexNode {
    const letter = this.#points[this.#at] ?? '';
    if (letter === 'b' || letter === 'B') throw this.#refused('word boundaries');
    if (/[1-9]/.test(letter) || (letter === 'k' && this.#points[this.#at + 1] === '<')) {
      throw this.#refused('back-references');
    }
    const escaped = this.#escapedSet();
    return typeof escaped === 'number' ? one(escaped) : { kind: 'chars', set: codePoints(escaped) };
  }

  /** Behind a backslash, in a class or out of it: one code point or a set. */
  #escapedSet(): number | readonly CodePointRange[] {
    const letter = this.#points[this.#at++] ?? '';
    const named = escapedClass(letter);
    if (named !== undefined) return named;
    if ((letter === 'p' || letter === 'P') && this.#points[this.#at] === '{')
      return this.#property(letter === 'P');
    if (letter === 'c') return (this.#points[this.#at++]?.codePointAt(0) ?? 0) % 32;
    if (letter === 'x') return this.#hex(2) ?? 0x78;
    if (letter === 'u') return this.#unicode();
    return CONTROLS[letter] ?? letter.codePointAt(0) ?? 0;
  }

  #property(negative: boolean): readonly CodePointRange[] {
    const end = this.#points.indexOf('}', this.#at);
    const name = this.#points.slice(this.#at + 1, end).join('');
    const set = propertyClass(name);
    if (set === undefined) throw this.#refused(`the property ${name.slice(0, 40)}`);
    this.#at = end + 1;
    return negative ? complementCodePoints(set) : set;
  }

  #unicode(): number {
    if (this.#points[this.#at] === '{') {
      const end = this.#points.indexOf('}', this.#at);
      const point = Number.parseInt(this.#points.slice(this.#at + 1, end).join(''), 16);
      this.#at = end + 1;
      return point;
    }
    const high = this.#hex(4) ?? 0x75;
    if (high < 0xd800 || high > 0xdbff || this.#points[this.#at] !== '\\') return high;
    const before = this.#at;
    this.#at += 2;
    const low = this.#points[before + 1] === 'u' ? this.#hex(4) : undefined;
    if (low !== undefined && low >= 0xdc00 && low <= 0xdfff)
      return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    this.#at = before;
    return high;
  }

  #hex(digits: number): number | undefined {
    const text = this.#points.slice(this.#at, this.#at + digits).join('');
    if (text.length !== digits || !/^[\da-f]+$/i.test(text)) return undefined;
    this.#at += digits;
    return Number.parseInt(text, 16);
  }

  #class(): RegexNode {
    const negative = this.#take('^');
    const ranges: CodePointRange[] = [];
    while (!this.#take(']')) {
      const from = this.#classMember();
      if (typeof from !== 'number') {
        ranges.push(...from);
        continue;
      }
      const ranged = this.#points[this.#at] === '-' && this.#points[this.#at + 1] !== ']';
      if (!ranged) {
        ranges.push([from, from]);
        continue;
      }
      this.#at++;
      const to = this.#classMember();
      if (typeof to === 'number') ranges.push([from, to]);
      else ranges.push([from, from], [0x2d, 0x2d], ...to);
    }
    const set = codePoints(ranges);
    return { kind: 'chars', set: negative ? complementCodePoints(set) : set };
  }

  #classMember(): number | readonly CodePointRange[] {
    if (!this.#take('\\')) return this.#points[this.#at++]?.codePointAt(0) ?? 0;
    if (this.#take('b')) return 8;
    return this.#escapedSet();
  }

  #take(character: string): boolean {
    if (this.#points[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #refused(what: string) {
    return patternRefused(this.#pattern, this.#field, what);
  }
}

function one(point: number): RegexNode {
  return { kind: 'chars', set: codePoints([[point, point]]) };
}

/** The refusal of a pattern that has what no automaton can do. */
export function patternRefused(pattern: string, field: string, what: string) {
  return constraintError({
    code: 'CONSTRAINT_UNSUPPORTED',
    field,
    problem: `has ${what}, which answers cannot be held to`,
    value: pattern,
    remedy: 'Write the pattern without.',
  });
}
