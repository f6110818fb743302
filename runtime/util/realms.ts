/**
 * What a value is, in whichever realm it was made. Jest, Vitest's `vmThreads` and whoever else uses `node:vm` run a
 * program in a realm with an Error, an Object and a Uint8Array of its own: what Node's core throws, what other threads
 * send and what callers hand in may be of another one, and `instanceof` is false for it. Polyfills and jsdom have
 * classes of their own, too. So these look at what a value is or can do, and nothing in the project asks for a class
 * of the language by `instanceof`.
 */
import { types } from 'node:util';

/** A `Blob` or `File`, whoever made it. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number;
  /** Reads them all. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** An error of the language or a DOMException. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false; // a proxy that does not let itself be looked at
  }
}

/** An error that is called so: `TypeError`, `DataCloneError`. */
export function isErrorNamed(value: unknown, name: string): value is Error {
  return isError(value) && value.name === name;
}

/** A promise, or what behaves like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && hasMethod(value, 'then');
}

/** What a thrown value says, whatever it is. Never throws: it is asked where something has already gone wrong. */
export function messageOf(thrown: unknown): string {
  return textOr(() => (isError(thrown) ? thrown.message : thrown));
}

/** The error, or one that says what was thrown. */
export function errorOf(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(messageOf(thrown));
}

/** Where an error was made, if it is one and says so. Never throws. */
export function stackOf(thrown: unknown): string | undefined {
  try {
    return isError(thrown) && typeof thrown.stack === 'string' ? thrown.stack : undefined;
  } catch {
    return undefined;
  }
}

/** Any value as text. Never throws, though what an object says of itself is code of somebody else's. */
export function textOf(value: unknown): string {
  return textOr(() => value);
}

function textOr(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return 'a value that cannot be shown';
  }
}

/** The code of an error of Node's own: `ENOENT`, `EADDRINUSE`. */
export function errorCodeOf(thrown: unknown): string | undefined {
  return isError(thrown) && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

export function isUrl(value: unknown): value is URL {
  return tagOf(value) === 'URL' && typeof Object(value).href === 'string';
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  if (!('aborted' in value) || typeof value.aborted !== 'boolean') return false;
  return hasMethod(value, 'addEventListener') && hasMethod(value, 'removeEventListener');
}

export function isBlob(value: unknown): value is BlobLike {
  if (typeof value !== 'object' || value === null) return false;
  return 'size' in value && typeof value.size === 'number' && hasMethod(value, 'arrayBuffer');
}

export function isDomException(value: unknown): value is DOMException {
  return tagOf(value) === 'DOMException';
}

/** An object that no class has made: `{}`, what JSON holds. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && isRootPrototype(Object(prototype)))
  );
}

/** `Object.prototype` of some realm, and no object that somebody made without a prototype. */
function isRootPrototype(prototype: object): boolean {
  return Object.hasOwn(prototype, 'isPrototypeOf');
}

function hasMethod(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function';
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
