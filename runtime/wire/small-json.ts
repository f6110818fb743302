/**
 * Small payloads as text. JSON of a small plain object is made and read faster than a structured clone of it, is a
 * snapshot of the moment it was made, and many of them travel in one message without sharing anything.
 *
 * Only what comes out of JSON as a structured clone would give it qualifies: no `undefined` inside, no `NaN` or `-0`, no
 * object twice (a clone keeps it one), no class, no holes, no `toJSON`, own or inherited. All else is left to the clone.
 */
import { types } from 'node:util';
import { isPlainObject } from '../util/realms.ts';

/** Above these a clone is as fast, and the search would be for nothing. */
const MOST_CHARACTERS = 2_048;
const MOST_VALUES = 64;

/** Text and an estimate of what it is worth in bytes, for credit. */
export interface SmallJson {
  /** Empty for `undefined`. */
  readonly text: string;
  readonly bytes: number;
}

const NOTHING: SmallJson = { text: '', bytes: 0 };

/** `undefined`: the value is large, or JSON would change it. Never throws. */
export function smallJson(value: unknown): SmallJson | undefined {
  if (value === undefined) return NOTHING;
  // A getter in the payload may call something that looks at another payload.
  const look = idleLook ?? new Look();
  idleLook = undefined;
  try {
    look.begin();
    return look.at(value) ? { text: JSON.stringify(value), bytes: look.characters } : undefined;
  } catch {
    return undefined; // a getter that throws: the clone will say so
  } finally {
    look.begin();
    idleLook = look;
  }
}

class Look {
  characters = 0;
  #values = 0;
  /** Objects met so far. A handful, so a list is faster than a set. */
  #first: object | undefined;
  #others: object[] | undefined;

  begin(): void {
    this.characters = 0;
    this.#values = 0;
    this.#first = undefined;
    this.#others = undefined;
  }

  /** Whether JSON keeps the value as it is. */
  at(value: unknown): boolean {
    this.#values += 1;
    if (this.#values > MOST_VALUES) return false;
    switch (typeof value) {
      case 'string':
        this.characters += value.length;
        return this.characters <= MOST_CHARACTERS;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0);
      case 'boolean':
        return true;
      case 'object':
        return value === null || this.#object(value);
      default:
        return false;
    }
  }

  #object(value: object): boolean {
    if (types.isProxy(value) || 'toJSON' in value || !this.#isNew(value)) return false;
    if (Array.isArray(value)) return this.#array(value);
    if (!isPlainObject(value)) return false;
    for (const key of Object.keys(value)) {
      this.characters += key.length;
      if (!this.at(value[key])) return false;
    }
    return true;
  }

  #array(items: readonly unknown[]): boolean {
    if (items.length > MOST_VALUES || Object.keys(items).length !== items.length) return false;
    for (const item of items) if (!this.at(item)) return false;
    return true;
  }

  #isNew(value: object): boolean {
    if (this.#first === undefined) {
      this.#first = value;
      return true;
    }
    if (this.#first === value || this.#others?.includes(value)) return false;
    this.#others ??= [];
    this.#others.push(value);
    return true;
  }
}

let idleLook: Look | undefined = new Look();
