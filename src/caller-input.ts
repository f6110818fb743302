/**
 * What callers in plain JavaScript may get wrong about the arguments of a public function, beside what schemas check:
 * a clear error in place of whatever the first use of the value would throw.
 */
import { InputError } from '../actors/errors.ts';
import { shownValue } from '../actors/shown-value.ts';
import { isAbortSignal } from '../runtime/util/realms.ts';

/**
 * A Map or a Promise (somebody forgot to await it) has no options of ours, and would start with the defaults.
 *
 * @throws InputError `INVALID_OPTION` for null, a string, a list: everything but an object with fields, or nothing
 */
export function assertOptions(options: unknown, remedy: string): asserts options is object | undefined {
  if (options === undefined) return;
  if (/^\[object (?:Object|Module)\]$/.test(Object.prototype.toString.call(options))) return;
  throw invalid('options', 'are no object', options, remedy);
}

/** @throws InputError `INVALID_OPTION` */
export function assertSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined || isAbortSignal(signal)) return;
  throw invalid('signal', 'is no AbortSignal', signal, 'Give the signal of an AbortController');
}

/** @throws InputError `INVALID_OPTION` */
export function assertFunction(value: unknown, field: string): void {
  if (value === undefined || typeof value === 'function') return;
  throw invalid(field, 'is no function', value, 'Give a function, or leave it out');
}

/** @throws InputError `INVALID_OPTION` */
export function assertLogger(logger: unknown): void {
  if (logger === undefined) return;
  const methods: unknown[] = ['debug', 'info', 'warn', 'error'].map((name) => Object(logger)[name]);
  if (methods.every((method) => typeof method === 'function')) return;
  throw invalid('logger', 'is no logger', logger, 'Give one of pino, or leave it out');
}

/** @throws InputError `INVALID_OPTION` unless it is a number of milliseconds, 0 or more */
export function assertDuration(value: unknown, field: string): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  throw invalid(field, 'is no time', value, 'Give milliseconds, 0 or more');
}

/** @throws InputError `INVALID_OPTION` */
export function assertText(value: unknown, field: string, remedy: string): void {
  if (typeof value !== 'string') throw invalid(field, 'is no text', value, remedy);
}

function invalid(field: string, problem: string, value: unknown, remedy: string): InputError {
  return new InputError('INVALID_OPTION', problem, { field, value: shownValue(value), remedy });
}
