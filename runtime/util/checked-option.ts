/** Checks of options as they come from programs without types. Each throws TroupeError `OPTION_INVALID` naming field and remedy. */
import { invalidOption } from '../errors.ts';

/** The fields of an object of options; absent ones of a group that is absent. */
export function fieldsOf(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object(value);
  throw invalidOption(field, value, 'give an object, or leave it out');
}

export function wholeNumber(field: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return;
  throw invalidOption(field, value, `give a whole number, ${least} or more`);
}

/** `Infinity` is for ever. */
export function milliseconds(field: string, value: unknown, least = 0): void {
  if (typeof value === 'number' && value >= least) return;
  throw invalidOption(field, value, `give milliseconds, ${least} or more`);
}

/** Applies a check to those fields that are there. */
export function eachGiven(
  group: string,
  value: unknown,
  check: (field: string, value: unknown) => void,
): void {
  for (const [name, one] of Object.entries(fieldsOf(group, value))) {
    if (one !== undefined) check(`${group}.${name}`, one);
  }
}
