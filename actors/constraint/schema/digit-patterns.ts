/** Regular expressions for texts of digits that are at least or at most another one, as numbers. */

/** `[from-to]`, or what matches nothing. */
function digits(from: number, to: number): string | undefined {
  return from > to ? undefined : `[${from}-${to}]`;
}

function anyOf(options: readonly (string | undefined)[]): string {
  const given = options.filter((option) => option !== undefined);
  return given.length === 0 ? '[]' : `(?:${given.join('|')})`;
}

/** Same number of digits, and above (`1`) or below (`-1`). */
function sameLength(bound: string, direction: 1 | -1): (string | undefined)[] {
  return [...bound].map((digit, i) => {
    const least = i === 0 && bound.length > 1 ? 1 : 0;
    const range = direction === 1 ? digits(Number(digit) + 1, 9) : digits(least, Number(digit) - 1);
    return range === undefined ? undefined : `${bound.slice(0, i)}${range}\\d{${bound.length - i - 1}}`;
  });
}

/** Whole numbers above `bound`. */
function wholeAbove(bound: string): string {
  return anyOf([`[1-9]\\d{${bound.length},}`, ...sameLength(bound, 1)]);
}

/** Whole numbers below `bound`. */
function wholeBelow(bound: string): string {
  const shorter = bound.length > 1 ? `(?:0|[1-9]\\d{0,${bound.length - 2}})` : undefined;
  return anyOf([shorter, ...sameLength(bound, -1)]);
}

/** What stands behind the whole part, so that the fraction is at least `bound`. */
function fractionFrom(bound: string): string {
  if (bound === '') return '(?:\\.\\d+)?';
  const above = [...bound].map((digit, i) => {
    const range = digits(Number(digit) + 1, 9);
    return range === undefined ? undefined : `${bound.slice(0, i)}${range}\\d*`;
  });
  return `\\.${anyOf([...above, `${bound}\\d*`])}`;
}

function fractionTo(bound: string): string {
  if (bound === '') return '(?:\\.0+)?';
  const below = [...bound].map((digit, i) => {
    const range = digits(0, Number(digit) - 1);
    return range === undefined ? undefined : `${bound.slice(0, i)}${range}\\d*`;
  });
  const beginnings = [...bound].slice(1).map((_, i) => bound.slice(0, i + 1));
  return `(?:\\.${anyOf([...below, ...beginnings, `${bound}0*`])})?`;
}

/** Decimals of at least `whole.fraction`. */
export function decimalsFrom({ whole, fraction }: { whole: string; fraction: string }): string {
  return `(?:${wholeAbove(whole)}(?:\\.\\d+)?|${whole}${fractionFrom(fraction)})`;
}

/** Decimals of at most `whole.fraction`. */
export function decimalsTo({ whole, fraction }: { whole: string; fraction: string }): string {
  return `(?:${wholeBelow(whole)}(?:\\.\\d+)?|${whole}${fractionTo(fraction)})`;
}

/** Whole numbers of at least `bound`. */
export function wholesFrom(bound: string): string {
  return `(?:${wholeAbove(bound)}|${bound})`;
}

/** Whole numbers of at most `bound`. */
export function wholesTo(bound: string): string {
  return `(?:${wholeBelow(bound)}|${bound})`;
}
