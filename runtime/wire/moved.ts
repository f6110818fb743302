/**
 * Values that are moved instead of cloned where no call has a list of them: answers of handlers, chunks and final values
 * of streams. The list is kept beside the value until it is sent.
 */
import type { Transferable } from 'node:worker_threads';

const lists = new WeakMap<object, readonly Transferable[]>();
/** Programs that move nothing are spared the look. */
let used = false;

const NONE: readonly Transferable[] = [];

/**
 * Marks what is to be moved, instead of cloned, when this value is returned by a handler, written to a stream or is its
 * end: the receiver gets the buffers themselves, in no time, and here they are empty afterwards.
 *
 * @param value an object that holds them, or is one of them
 * @param list buffers and ports in it; the mark is used up by the first sending
 * @returns the same value
 *
 * @example
 * ```ts
 * import { ask, defineActor, protocol, transfer, blueprint } from 'troupe/runtime';
 *
 * const inverting = protocol('invert', { invert: ask<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>() });
 * const inverter = blueprint<typeof inverting, undefined>(inverting, import.meta.url, './invert-actor');
 *
 * export default defineActor({
 *   blueprint: inverter,
 *   setup: () => ({
 *     handlers: {
 *       invert(pixels) {
 *         for (let at = 0; at < pixels.length; at++) pixels[at] = 255 - (pixels[at] ?? 0);
 *         return transfer(pixels, [pixels.buffer]);
 *       },
 *     },
 *   }),
 * });
 * ```
 */
export function transfer<Value extends object>(value: Value, list: readonly Transferable[]): Value {
  used = true;
  lists.set(value, list);
  return value;
}

/** What is to be moved with the value; the mark is taken off. */
export function takeTransfer(value: unknown): readonly Transferable[] {
  if (!used || typeof value !== 'object' || value === null) return NONE;
  const list = lists.get(value);
  if (list === undefined) return NONE;
  lists.delete(value);
  return list;
}
