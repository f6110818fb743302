/**
 * Errors across threads. A structured clone keeps of an error little more than its message; here it keeps its
 * class, code, fields, stack, cause and the errors of an aggregate, so that a caller handles a failure in the
 * same way wherever it happened.
 */
import { findErrorClass } from './error-classes.ts';
import type { WireCause, WireError } from './wire-error.ts';

export { type ErrorClass, registerErrorClass } from './error-classes.ts';
export { encodeError } from './error-encoder.ts';
export type { WireCause, WireError } from './wire-error.ts';

const BRAND = Symbol.for('troupe.error');
const REMOTE_MARK = '\n    at (another thread)';

/** A real error of the class that `wire` names, or of its nearest ancestor that is known on this thread. */
export function decodeError(wire: WireError): Error {
  const error = revive(wire);
  for (const [key, value] of Object.entries(wire.fields)) define(error, key, value, true);
  if (error.name !== wire.name) define(error, 'name', wire.name, false);
  if (wire.branded) Object.defineProperty(error, BRAND, { value: true });
  if (wire.stack !== undefined) define(error, 'stack', marked(wire.stack), false);
  if (wire.cause !== undefined) define(error, 'cause', decodeCause(wire.cause), false);
  if (wire.errors !== undefined) define(error, 'errors', wire.errors.map(decodeCause), false);
  return error;
}

/**
 * The object is made by a constructor of the language, which gives it what the engine knows errors by, and is
 * then put under its own class, whose constructor may want who knows what and is not called.
 */
function revive(wire: WireError): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    if (wire.lineage.includes('DOMException')) return new DOMException(wire.message, wire.name);
    const error = new Error(wire.message);
    const { prototype } = findErrorClass(wire.lineage);
    if (prototype !== Error.prototype) Object.setPrototypeOf(error, prototype);
    return error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function decodeCause(cause: WireCause): unknown {
  return cause.kind === 'error' ? decodeError(cause.error) : cause.value;
}

/** One mark at the end, however many threads the error has crossed. */
function marked(stack: string): string {
  return stack.endsWith(REMOTE_MARK) ? stack : stack + REMOTE_MARK;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
