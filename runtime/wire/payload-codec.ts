/**
 * Refs inside payloads. A payload is cloned by the transport, which knows nothing of refs: before it is posted, each of
 * them is replaced by an empty object of its own, and what is needed to make it again travels beside the payload, with
 * that same object. A clone keeps identities within a message, so the receiver finds the places again, whatever else the
 * payload holds, and puts a ref of its own there.
 *
 * Searched is what a structured clone would carry: objects, also of classes, arrays, maps and sets, in any shape, cycles
 * included.
 */
import { types } from 'node:util';
import type { Transferable } from 'node:worker_threads';
import type { Port } from '../transport/port.ts';
import { forEachItem } from '../util/lists.ts';
import { isPlainObject } from '../util/realms.ts';

export const SEND: unique symbol = Symbol.for('troupe.send');

/** A value that knows how to travel. `send` may open a side channel of the kind that `over` can carry. */
export interface Sendable {
  [SEND](over: Port): { readonly wire: unknown; readonly transfer: readonly Transferable[] };
}

/** Makes the value again from its wire form, on the receiving thread. */
export type Reviver = (wire: unknown) => unknown;

/** A sendable on its way. */
export interface Traveller {
  /** The object that stands for it in the payload. */
  readonly place: object;
  readonly wire: unknown;
}

export interface EncodedPayload {
  readonly payload: unknown;
  /** Absent when the payload holds none. */
  readonly travellers: readonly Traveller[] | undefined;
  readonly transfer: readonly Transferable[];
}

const NO_TRANSFER: readonly Transferable[] = [];

/**
 * Objects in one another, at most. V8 reads a clone by recursion, and fails in the receiving thread where that has less stack
 * than the one that wrote it: Node's main thread, with 1 MB, from some 3,000 on.
 */
const DEEPEST = 1_000;

/**
 * The payload as it is, when it holds no sendable; else a copy with places for them.
 *
 * @throws RangeError it is nested so deeply that the receiver might not be able to read it
 */
export function encodePayload(payload: unknown, over: Port): EncodedPayload {
  const search = new Search(over.byReference);
  const found = search.finds(payload);
  if (!over.byReference) search.checkDepth(payload);
  if (!found) return { payload, travellers: undefined, transfer: NO_TRANSFER };
  const transfer: Transferable[] = [];
  const travellers: Traveller[] = [];
  const copied = copyWithPlaces(payload, search, (sendable) => {
    const sent = sendable[SEND](over);
    const place = {};
    travellers.push({ place, wire: sent.wire });
    transfer.push(...sent.transfer);
    return place;
  });
  return { payload: copied, travellers, transfer };
}

/** @throws RangeError the value is nested so deeply that the receiver might not be able to read it */
export function checkNesting(value: unknown): void {
  const search = new Search(false);
  search.finds(value);
  search.checkDepth(value);
}

/** Posts what holds it; where that throws, what was opened for its sendables is closed. */
export function postEncoded(payload: unknown, over: Port, post: (encoded: EncodedPayload) => void): void {
  const encoded = encodePayload(payload, over);
  try {
    post(encoded);
  } catch (error) {
    for (const item of encoded.transfer) if ('postMessage' in item) item.close();
    throw error;
  }
}

/** Puts revived values into their places; the payload is the receiver's own and is changed. */
export function decodePayload(
  payload: unknown,
  travellers: readonly Traveller[] | undefined,
  revive: Reviver,
): unknown {
  if (travellers === undefined) return payload;
  const revived = new Map<unknown, unknown>(travellers.map(({ place, wire }) => [place, revive(wire)]));
  return replaceInPlace(payload, revived);
}

/**
 * A copy that nobody else can change any more, for a message that has to wait. What is in `transfer` changes hands now.
 * Throws what a structured clone throws.
 */
export function snapshot(
  payload: unknown,
  transfer: readonly Transferable[],
): { readonly payload: unknown; readonly transfer: readonly Transferable[] } {
  const search = new Search(false);
  const sendables = new Map<object, Sendable>();
  const placed = search.finds(payload)
    ? copyWithPlaces(payload, search, (sendable) => {
        const place = {};
        sendables.set(place, sendable);
        return place;
      })
    : payload;
  const parcel = { payload: placed, places: [...sendables.keys()], transfer };
  const copy = structuredClone(parcel, { transfer: [...transfer] });
  const originals = new Map<unknown, unknown>();
  for (const [index, sendable] of [...sendables.values()].entries()) {
    originals.set(copy.places[index], sendable);
  }
  return { payload: replaceInPlace(copy.payload, originals), transfer: copy.transfer };
}

// ------------------------------------------------------------------------------------- walking

/** Everything that a clone would carry, each object once; without recursion, since a clone takes any depth. */
class Search {
  /** Objects of classes stay as they are where nothing is cloned. */
  readonly #plainOnly: boolean;
  readonly containers = new Set<object>();
  /** A clone carries their causes, so they count for the depth; it makes errors of them, so they are not copied here. */
  readonly #errors = new Set<object>();
  #found = false;
  /** As long as nothing is met twice it is a tree, whose depth does not depend on the order of the search. */
  #deepest = 0;
  #isTree = true;

  constructor(plainOnly: boolean) {
    this.#plainOnly = plainOnly;
  }

  finds(root: unknown): boolean {
    if (typeof root !== 'object' || root === null) return false;
    const open: object[] = [];
    const depths: number[] = [];
    this.#meet(root, open, depths, 1);
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      const inside = (depths.pop() ?? 0) + 1;
      forEachMember(value, (member) => this.#meet(member, open, depths, inside));
    }
    return this.#found;
  }

  /**
   * As V8 goes: into each object where it is met first, members in order. Without recursion.
   * @throws RangeError it is deeper than it may be
   */
  checkDepth(root: unknown): void {
    const isDeepMaybe = this.#deepest > DEEPEST || !this.#isTree;
    if (this.containers.size + this.#errors.size <= DEEPEST || !isDeepMaybe) return;
    const seen = new Set<unknown>();
    const path: Iterator<unknown>[] = [[root].values()];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const { done, value } = last.next();
      if (done) path.pop();
      else if (typeof value === 'object' && value !== null && this.#isOpened(value) && !seen.has(value)) {
        seen.add(value);
        if (path.length > DEEPEST)
          throw new RangeError(`its objects are more than ${DEEPEST} deep in one another`);
        const members: unknown[] = [];
        forEachMember(value, (member) => members.push(member));
        path.push(members.values());
      }
    }
  }

  #meet(value: unknown, open: object[], depths: number[], depth: number): void {
    if (typeof value !== 'object' || value === null) return;
    if (this.#isOpened(value)) {
      this.#isTree = false;
      return;
    }
    if (isSendable(value)) this.#found = true;
    else {
      if (this.#isContainer(value)) this.containers.add(value);
      else if (!this.#plainOnly && types.isNativeError(value)) this.#errors.add(value);
      else return;
      open.push(value);
      depths.push(depth);
      if (depth > this.#deepest) this.#deepest = depth;
    }
  }

  #isOpened(value: object): boolean {
    return this.containers.has(value) || (this.#errors.size > 0 && this.#errors.has(value));
  }

  #isContainer(value: object): boolean {
    if (Array.isArray(value) || isPlainObject(value)) return true;
    if (types.isMap(value) || types.isSet(value)) return true;
    return !this.#plainOnly && !ArrayBuffer.isView(value) && !isExotic(value);
  }
}

/** What a structured clone treats as one value, or refuses. */
function isExotic(value: object): boolean {
  return (
    types.isAnyArrayBuffer(value) ||
    types.isNativeError(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isPromise(value) ||
    types.isBoxedPrimitive(value) ||
    types.isProxy(value) ||
    types.isExternal(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    isOfThePlatform(value)
  );
}

/**
 * Ports, blobs, keys, signals: made by the platform, and cloned by rules of their own. They have a tag, as objects of other classes may
 * have, from a class that is global, or no fields that a clone would carry.
 */
function isOfThePlatform(value: object): boolean {
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Object]' || Object.hasOwn(value, Symbol.toStringTag)) return false;
  return Object.keys(value).length === 0 || isGlobalClass(classOfTag(value));
}

/** The class that gives an object its tag. */
function classOfTag(value: object): unknown {
  let prototype: object | null = Object.getPrototypeOf(value);
  while (prototype !== null && !Object.hasOwn(prototype, Symbol.toStringTag))
    prototype = Object.getPrototypeOf(prototype);
  return prototype?.constructor;
}

function isGlobalClass(found: unknown): boolean {
  return typeof found === 'function' && Reflect.get(globalThis, found.name) === found;
}

function forEachMember(container: object, visit: (member: unknown) => void): void {
  if (Array.isArray(container)) forEachItem(container, visit);
  else if (types.isNativeError(container)) {
    if ('cause' in container) visit(container.cause);
  } else if (types.isMap(container)) {
    for (const [key, item] of container) {
      visit(key);
      visit(item);
    }
  } else if (types.isSet(container)) for (const item of container) visit(item);
  else for (const key of Object.keys(container)) visit(Reflect.get(container, key));
}

/** Copies of all containers, joined as the originals are. */
function copyWithPlaces(
  root: unknown,
  { containers }: Search,
  placeOf: (sendable: Sendable) => object,
): unknown {
  const copies = new Map<object, object>();
  for (const container of containers) copies.set(container, emptyLike(container));
  const places = new Map<object, object>();
  const copyOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const copy = copies.get(value) ?? places.get(value);
    if (copy !== undefined) return copy;
    if (!isSendable(value)) return value;
    const place = placeOf(value);
    places.set(value, place);
    return place;
  };
  for (const [container, copy] of copies) fill(copy, container, copyOf);
  return copyOf(root);
}

function emptyLike(container: object): object {
  if (Array.isArray(container)) return new Array(container.length);
  if (types.isMap(container)) return new Map();
  return types.isSet(container) ? new Set() : {};
}

function fill(copy: object, from: object, copyOf: (value: unknown) => unknown): void {
  if (types.isMap(from) && types.isMap(copy)) {
    for (const [key, item] of from) copy.set(copyOf(key), copyOf(item));
  } else if (types.isSet(from) && types.isSet(copy)) for (const item of from) copy.add(copyOf(item));
  else for (const key of Object.keys(from)) define(copy, key, copyOf(Reflect.get(from, key)));
}

/** Puts other values in the place of some, wherever they are. */
function replaceInPlace(root: unknown, replacements: ReadonlyMap<unknown, unknown>): unknown {
  if (replacements.size === 0) return root;
  if (replacements.has(root)) return replacements.get(root);
  const search = new Search(true);
  search.finds(root);
  const of = (value: unknown) => (replacements.has(value) ? replacements.get(value) : value);
  for (const container of search.containers) {
    if (types.isMap(container)) {
      const entries = [...container];
      container.clear();
      for (const [key, item] of entries) container.set(of(key), of(item));
    } else if (types.isSet(container)) {
      const items = [...container];
      container.clear();
      for (const item of items) container.add(of(item));
    } else {
      for (const key of Object.keys(container)) {
        const value: unknown = Reflect.get(container, key);
        if (replacements.has(value)) define(container, key, replacements.get(value));
      }
    }
  }
  return root;
}

/** As a clone does: also a key like `__proto__` becomes a field. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function isSendable(value: object): value is Sendable {
  return SEND in value;
}
