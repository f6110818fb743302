/**
 * Errors to their wire form. Whatever was thrown, encoding succeeds: it runs where something has already gone
 * wrong, and a second failure there would swallow the first. So every access to a foreign object may throw, and
 * every text, list and depth has a bound.
 */
import { inspect } from 'node:util';
import { ActorError, TroupeError } from '../errors.ts';
import { isDomException, isError } from '../util/realms.ts';
import { lineageOf } from './error-classes.ts';
import { checkNesting } from './payload-codec.ts';
import type { WireCause, WireError } from './wire-error.ts';

const MAX_MESSAGE = 10_000;
const MAX_STACK = 20_000;
const MAX_DESCRIPTION = 500;
const MAX_DEPTH = 8;
/** Errors in one encoding: causes and members of aggregates together. */
const MAX_ERRORS = 100;

/** Own fields with a place of their own in the wire form. */
const PLACED: ReadonlySet<string> = new Set(['message', 'stack', 'cause', 'errors']);
/** Fields that are kept although a class may declare them as not enumerable. */
const ALWAYS_KEPT: readonly string[] = ['name', 'code', 'retrySafe', 'details'];

/** Never throws. What is no error becomes a `DEFECT` ActorError that describes it. */
export function encodeError(thrown: unknown): WireError {
  const encoder = new Encoder();
  try {
    if (isError(thrown)) return encoder.encode(thrown, 0);
  } catch {
    // An object that defends itself, such as a proxy: described below.
  }
  const type = thrown === null ? 'null' : typeof thrown;
  return encoder.encode(
    new ActorError(`something that is no error was thrown: ${describe(thrown)}`, {
      code: 'DEFECT',
      details: { thrown: type },
    }),
    0,
  );
}

class Encoder {
  #encoded = 0;
  /** The errors that are being encoded: meeting one of them again is a cycle. */
  readonly #path = new Set<object>();

  encode(error: Error, depth: number): WireError {
    this.#encoded += 1;
    this.#path.add(error);
    const wire: WireError = {
      lineage: read(() => lineageOf(error), []),
      name: read(() => truncate(String(error.name), MAX_DESCRIPTION), 'Error'),
      message: read(() => truncate(String(error.message), MAX_MESSAGE), ''),
      stack: read(
        () => (typeof error.stack === 'string' ? truncate(error.stack, MAX_STACK) : undefined),
        undefined,
      ),
      branded: read(() => TroupeError.is(error), false),
      fields: read(() => fieldsOf(error), {}),
      cause: read(
        () => (Object.hasOwn(error, 'cause') ? this.#cause(error.cause, depth) : undefined),
        undefined,
      ),
      errors: read(() => this.#errors(error, depth), undefined),
    };
    this.#path.delete(error);
    return wire;
  }

  #errors(error: Error, depth: number): WireCause[] | undefined {
    if (!('errors' in error) || !Array.isArray(error.errors)) return undefined;
    return error.errors.slice(0, MAX_ERRORS).map((member: unknown) => this.#cause(member, depth));
  }

  #cause(cause: unknown, depth: number): WireCause {
    if (!isError(cause)) return { kind: 'value', value: cloned(cause) ?? describe(cause) };
    if (this.#path.has(cause)) return { kind: 'value', value: '[circular]' };
    if (depth >= MAX_DEPTH || this.#encoded >= MAX_ERRORS)
      return { kind: 'value', value: '[more causes left out]' };
    return { kind: 'error', error: this.encode(cause, depth + 1) };
  }
}

function fieldsOf(error: Error): Record<string, unknown> {
  // A DOMException's name and code belong to its class, and are read-only there.
  const kept = isDomException(error) ? [] : ALWAYS_KEPT.filter((key) => Object.hasOwn(error, key));
  const fields: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(error), ...kept])) {
    if (PLACED.has(key)) continue;
    const value = read(() => cloned(Reflect.get(error, key)), undefined);
    if (value !== undefined) fields[key] = value;
  }
  return fields;
}

/** A copy as plain data, or `undefined` when there can be none. */
function cloned(value: unknown): unknown {
  if (typeof value === 'string') return truncate(value, MAX_MESSAGE);
  if (typeof value === 'symbol' || typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  return read(() => {
    checkNesting(value); // the receiver may have less stack than this thread
    return structuredClone(value);
  }, undefined);
}

function describe(value: unknown): string {
  const options = { depth: 1, customInspect: false, maxStringLength: MAX_DESCRIPTION, maxArrayLength: 10 };
  return read(() => truncate(inspect(value, options), MAX_DESCRIPTION), 'a value that cannot be shown');
}

function truncate(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more characters)`;
}

function read<Value>(access: () => Value, otherwise: Value): Value {
  try {
    return access();
  } catch {
    return otherwise;
  }
}
