/** Command-line numbers: text to a number within a range, or an error that names flag, value and remedy. */
import { InputError } from '../../actors/errors.ts';

export interface NumberRange {
  /** Whole numbers only. */
  readonly whole?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
}

// Stricter than Number(), which takes '' for 0 and '0x10' for 16.
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Makes a parser for the values of one flag. */
export function numberFlag(flag: string, range: NumberRange): (text: string) => number {
  return (text) => {
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (isWithin(value, range)) return value;
    const remedy = `Give ${describeRange(range)}.`;
    throw new InputError('INVALID_ARGUMENT', 'is not a value it can take', {
      field: flag,
      value: text,
      remedy,
    });
  };
}

function isWithin(value: number, { whole, min, max, above }: NumberRange): boolean {
  return (
    Number.isFinite(value) &&
    (whole !== true || Number.isSafeInteger(value)) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above)
  );
}

function describeRange({ whole, min, max, above }: NumberRange): string {
  const noun = whole === true ? 'a whole number' : 'a number';
  if (above !== undefined)
    return max === undefined ? `${noun} above ${above}` : `${noun} above ${above}, up to ${max}`;
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`;
  if (min !== undefined) return `${noun} of ${min} or more`;
  return max === undefined ? noun : `${noun} up to ${max}`;
}
