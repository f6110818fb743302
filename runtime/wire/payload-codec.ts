/**
 * Refs inside payloads. A payload is cloned by the transport, which knows nothing of refs: before it is posted,
 * each sendable in it is replaced by its wire form (and whatever that needs is added to the transfer list);
 * on arrival the wire form is revived. Only plain objects and arrays are searched.
 */
import type { Transferable } from 'node:worker_threads';
import type { Port } from '../transport/port.ts';
import { isPlainObject } from '../util/realms.ts';

const MARK = '$troupe';

export const SEND: unique symbol = Symbol.for('troupe.send');

/** A value that knows how to travel. `send` may open a side channel of the kind that `over` can carry. */
export interface Sendable {
  [SEND](over: Port): { readonly wire: unknown; readonly transfer: readonly Transferable[] };
}

/** Makes the value again from its wire form, on the receiving thread. */
export type Reviver = (wire: unknown) => unknown;

interface Marked {
  readonly [MARK]: unknown;
}

export interface EncodedPayload {
  readonly payload: unknown;
  readonly rich: boolean;
  readonly transfer: readonly Transferable[];
}

export function encodePayload(payload: unknown, over: Port): EncodedPayload {
  const transfer: Transferable[] = [];
  const encoded = mapPlain(payload, (value) => {
    if (!isSendable(value)) return value;
    const sent = value[SEND](over);
    transfer.push(...sent.transfer);
    return { [MARK]: sent.wire };
  });
  return { payload: encoded, rich: encoded !== payload, transfer };
}

export function decodePayload(payload: unknown, revive: Reviver): unknown {
  return mapPlain(payload, (value) => (isMarked(value) ? revive(value[MARK]) : value));
}

/** Replaces values in plain objects and arrays; returns the very same object where nothing was replaced. */
function mapPlain(value: unknown, replace: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== value) return replaced;
  if (Array.isArray(value)) {
    // Long lists of numbers are data; a list of refs starts with an object.
    if (typeof value[0] !== 'object') return value;
    const items = value.map((item) => mapPlain(item, replace));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlainObject(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    const mapped = mapPlain(item, replace);
    if (mapped === item) continue;
    copy ??= { ...value };
    copy[key] = mapped;
  }
  return copy ?? value;
}

function isSendable(value: object): value is Sendable {
  return SEND in value;
}

function isMarked(value: object): value is Marked {
  return MARK in value;
}
