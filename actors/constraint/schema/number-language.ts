/**
 * The numbers that bounds leave, as texts. Numbers are written as `JSON.stringify` writes them: plain decimals (at most 21
 * digits before the point, 25 behind), and with an exponent (`1.5e+21`) from 1e21 up and below 1e-6. Integers are plain.
 */
import { type CharDfa, intersect, NO_STRING, trimmed } from '../automata/char-dfa.ts';
import { CharNfa } from '../automata/char-nfa.ts';
import { unite } from '../automata/string-sets.ts';
import { regexLanguage } from '../regex/regex-language.ts';
import type { WorkBudget } from '../work-budget.ts';
import { digitsOf, FRACTION_DIGITS, nextAbove, nextBelow, scaled, scientificOf } from './decimal.ts';
import { decimalsFrom, decimalsTo, wholesFrom, wholesTo } from './digit-patterns.ts';

/** What all numbers have to keep to; both bounds belong to it. */
export interface NumberBounds {
  readonly least: number;
  readonly most: number;
  readonly integer: boolean;
  /** An integer that divides it; 1 says nothing. */
  readonly multiple: number;
}

const WHOLE_DIGITS = 21;
const PLAIN_END = 10n ** BigInt(WHOLE_DIGITS);
const SCALE = 10n ** BigInt(FRACTION_DIGITS);
const LARGEST_PLAIN = PLAIN_END * SCALE - 1n;
const SMALLEST_POWER = -323;
const LARGEST_POWER = 308;
/** Texts beyond are near what reads as infinity. */
const LARGEST = 1e308;

/** All numbers, in one automaton of few states. */
const UNBOUNDED =
  `-?(?:(?:0|[1-9]\\d{0,${WHOLE_DIGITS - 1}})(?:\\.\\d{1,${FRACTION_DIGITS}})?|1e\\+308|` +
  '[1-9](?:\\.\\d{1,16})?e(?:\\+(?:2[1-9]|[3-9]\\d|[12]\\d\\d|30[0-7])|-(?:[7-9]|[1-9]\\d|[12]\\d\\d|3[01]\\d|32[0-3])))';

export class NumberLanguages {
  readonly #budget: WorkBudget;
  readonly #field: string;
  readonly #known = new Map<string, CharDfa>();

  constructor(budget: WorkBudget, field: string) {
    this.#budget = budget;
    this.#field = field;
  }

  of(bounds: NumberBounds): CharDfa {
    const key = JSON.stringify([String(bounds.least), String(bounds.most), bounds.integer, bounds.multiple]);
    let dfa = this.#known.get(key);
    if (dfa === undefined) {
      dfa = this.#make(bounds);
      this.#known.set(key, dfa);
    }
    return dfa;
  }

  #make({ least, most, integer, multiple }: NumberBounds): CharDfa {
    // A product of safe integers alone is read as what is written.
    const limit = multiple > 1 ? Number.MAX_SAFE_INTEGER : LARGEST;
    const low = Math.max(least, -limit);
    const high = Math.min(most, limit);
    if (low > high) return NO_STRING;
    if (!integer && low === -LARGEST && high === LARGEST) return this.#pattern(UNBOUNDED);
    const halves: CharDfa[][] = [];
    if (high >= 0) halves.push([this.#half(Math.max(low, 0), high, integer, multiple)]);
    if (low < 0) {
      // There is no -0.
      const smallest = high < 0 ? -high : integer ? 1 : Number.MIN_VALUE;
      if (smallest <= -low) halves.push([this.#pattern('-'), this.#half(smallest, -low, integer, multiple)]);
    }
    return this.#union(halves);
  }

  /** From `low` to `high`, both not negative. */
  #half(low: number, high: number, integer: boolean, multiple: number): CharDfa {
    const dfa = integer ? this.#integers(low, high) : this.#decimals(low, high);
    return multiple === 1 ? dfa : intersect(dfa, this.#multiplesOf(multiple), this.#budget);
  }

  #integers(low: number, high: number): CharDfa {
    const from = (scaled(low, true) + SCALE - 1n) / SCALE;
    const to = min(scaled(high, false) / SCALE, PLAIN_END - 1n);
    if (from > to) return NO_STRING;
    const least = from === 0n ? undefined : wholesFrom(`${from}`);
    return this.#both(
      `(?:0|[1-9]\\d{0,${WHOLE_DIGITS - 1}})`,
      least,
      to === PLAIN_END - 1n ? undefined : wholesTo(`${to}`),
    );
  }

  #decimals(low: number, high: number): CharDfa {
    const languages: CharDfa[] = [];
    const from = scaled(low, true);
    const to = min(scaled(high, false), LARGEST_PLAIN);
    if (from <= to) {
      const plain = `(?:0|[1-9]\\d{0,${WHOLE_DIGITS - 1}})(?:\\.\\d{1,${FRACTION_DIGITS}})?`;
      const least = from === 0n ? undefined : decimalsFrom(digitsOf(from));
      languages.push(this.#both(plain, least, to === LARGEST_PLAIN ? undefined : decimalsTo(digitsOf(to))));
    }
    for (const [first, last, sign] of [
      [WHOLE_DIGITS, LARGEST_POWER, '\\+'],
      [SMALLEST_POWER, -7, '-'],
    ] as const) {
      languages.push(this.#scientific(low, high, first, last, sign));
    }
    return unite(languages, this.#budget);
  }

  /** With powers of ten from `first` to `last`: the power decides, then the digits before it do. */
  #scientific(low: number, high: number, first: number, last: number, sign: string): CharDfa {
    const digits = this.#pattern('[1-9](?:\\.\\d{1,16})?');
    const from = low > 0 ? scientificOf(low) : { power: first - 1, whole: '1', fraction: '' };
    const to = high > 0 ? scientificOf(high) : { power: first - 1, whole: '9', fraction: '' };
    const least = low > 0 ? intersect(digits, this.#pattern(decimalsFrom(from)), this.#budget) : digits;
    const most = intersect(digits, this.#pattern(decimalsTo(to)), this.#budget);
    const between = this.#powers(Math.max(first, from.power + 1), Math.min(last, to.power - 1), sign);
    const kinds = [[digits, between]];
    if (from.power === to.power) {
      kinds.push([
        intersect(least, most, this.#budget),
        this.#powers(from.power, from.power, sign, first, last),
      ]);
    } else if (from.power < to.power) {
      kinds.push([least, this.#powers(from.power, from.power, sign, first, last)]);
      kinds.push([most, this.#powers(to.power, to.power, sign, first, last)]);
    }
    return this.#union(kinds);
  }

  /** `e`, the sign and the numbers from `from` to `to`, as far as they lie between `first` and `last`. */
  #powers(from: number, to: number, sign: string, first = from, last = to): CharDfa {
    if (from > to || from < first || to > last) return NO_STRING;
    const [small, large] = [Math.abs(from), Math.abs(to)].toSorted((a, b) => a - b);
    const powers = this.#both('[1-9]\\d{0,2}', wholesFrom(String(small)), wholesTo(String(large)));
    return this.#union([[this.#pattern(`e${sign}`), powers]]);
  }

  #both(shape: string, from: string | undefined, to: string | undefined): CharDfa {
    const bounds = [from, to].filter((bound) => bound !== undefined);
    return bounds.reduce(
      (dfa, bound) => intersect(dfa, this.#pattern(bound), this.#budget),
      this.#pattern(shape),
    );
  }

  #pattern(pattern: string): CharDfa {
    return regexLanguage(pattern, 'whole', this.#field, this.#budget);
  }

  /** Any of `sequences`, each of which is its languages one behind the other. */
  #union(sequences: readonly (readonly CharDfa[])[]): CharDfa {
    const nfa = new CharNfa(this.#budget);
    const start = nfa.state();
    const end = nfa.state();
    for (const sequence of sequences) {
      let at = start;
      for (const [i, dfa] of sequence.entries()) {
        const next = i === sequence.length - 1 ? end : nfa.state();
        nfa.embed(at, dfa, next);
        at = next;
      }
    }
    return nfa.toDfa(start, end);
  }

  /** Whole numbers by their remainder: state `1 + r` has read digits that leave `r`. */
  #multiplesOf(divisor: number): CharDfa {
    this.#budget.spend(divisor * 10);
    const step = (remainder: number, digit: number) => ({
      from: 0x30 + digit,
      to: 0x30 + digit,
      target: 1 + ((remainder * 10 + digit) % divisor),
    });
    const all = [...Array(10).keys()];
    const edges = Array.from({ length: divisor }, (_, remainder) =>
      all.map((digit) => step(remainder, digit)),
    );
    const accepting = Array.from({ length: divisor }, (_, remainder) => remainder === 0);
    return trimmed({
      edges: [all.map((digit) => step(0, digit)), ...edges],
      accepting: [false, ...accepting],
    });
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Bounds of which some are exclusive. */
export function inclusive(bound: number, exclusive: boolean, side: 'least' | 'most'): number {
  if (!exclusive) return bound;
  return side === 'least' ? nextAbove(bound) : nextBelow(bound);
}
