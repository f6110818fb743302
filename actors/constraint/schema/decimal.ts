/**
 * Bounds of numbers as decimals. A text is read as the double next to it, so a bound is compared in the shortest decimal
 * that reads as it: reading keeps order, so what is written at or above that decimal is read at or above the bound.
 */

/** Digits behind the point at most. */
export const FRACTION_DIGITS = 25;
const SCALE = 10n ** BigInt(FRACTION_DIGITS);

/** `mantissa × 10^exponent`. */
interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The shortest decimal that reads as `value`, which is not negative. */
export function decimalOf(value: number): Decimal {
  const [digits = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = digits.split('.');
  return { mantissa: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** In units of the last digit behind the point; rounded down, or up. */
export function scaled(value: number, up: boolean): bigint {
  const { mantissa, exponent } = decimalOf(value);
  const shift = exponent + FRACTION_DIGITS;
  if (shift >= 0) return mantissa * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (mantissa + (up ? divisor - 1n : 0n)) / divisor;
}

/** Digits before and behind the point, no zeros at the end. */
export function digitsOf(units: bigint): { readonly whole: string; readonly fraction: string } {
  const fraction = (units % SCALE).toString().padStart(FRACTION_DIGITS, '0').replace(/0+$/, '');
  return { whole: (units / SCALE).toString(), fraction };
}

/** First digit, further digits, power of ten; for values above 0. */
export function scientificOf(value: number): { whole: string; fraction: string; power: number } {
  const { mantissa, exponent } = decimalOf(value);
  const digits = mantissa.toString();
  return {
    whole: digits.slice(0, 1),
    fraction: digits.slice(1).replace(/0+$/, ''),
    power: exponent + digits.length - 1,
  };
}

const view = new DataView(new ArrayBuffer(8));

/** The next double above. */
export function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

/** The next double below. */
export function nextBelow(value: number): number {
  return -nextAbove(-value);
}
