/**
 * How many bytes a message makes somebody carry: *copied* ones are cloned into the message, *moved* ones change
 * hands by reference. Channels count both against their credits; metrics tell them apart, so that a tensor
 * that should have moved and was copied shows.
 *
 * It is an estimate, made for speed: numbers and keys are free, a long array that begins with a number is taken
 * for an array of numbers, and a string counts one byte a character. Buffers are counted exactly: a view makes
 * the clone carry its *whole* buffer, once, however many views of it the message holds.
 */

import { types } from 'node:util';
import type { Transferable } from 'node:worker_threads';
import { forEachItem } from '../util/lists.ts';
import { isSharedTensor } from './shared-tensor.ts';

export interface Footprint {
  readonly moved: number;
  readonly copied: number;
}

const NUMBER_BYTES = 8;
const SHORT = 16;
/** From here on objects are remembered, so that a cycle ends; small messages are spared the cost. */
const UNREMEMBERED_OBJECTS = 32;
const NO_TRANSFER: readonly Transferable[] = [];

/** Never throws: what cannot be read (a getter that throws) will fail when the message is cloned. */
export function footprint(payload: unknown, transfer: readonly Transferable[] = NO_TRANSFER): Footprint {
  const count = new Count(transfer);
  try {
    count.add(payload);
  } catch {
    // Counted as far as it could be read.
  }
  return { moved: count.moved, copied: count.copied };
}

class Count {
  moved = 0;
  copied = 0;
  readonly #transfer: readonly Transferable[];
  #buffers: Set<ArrayBufferLike> | undefined;
  #objects = 0;
  #remembered: Set<object> | undefined;

  constructor(transfer: readonly Transferable[]) {
    this.#transfer = transfer;
  }

  add(value: unknown): void {
    if (typeof value === 'string') this.copied += value.length;
    else if (typeof value === 'object' && value !== null) this.#addObject(value);
  }

  #addObject(value: object): void {
    if (ArrayBuffer.isView(value)) this.#addBuffer(value.buffer, value.byteLength);
    else if (types.isAnyArrayBuffer(value)) {
      this.#addBuffer(value, value.byteLength);
    } else if (!this.#isKnown(value)) this.#addMembers(value);
  }

  #addMembers(value: object): void {
    if (Array.isArray(value)) {
      const beginsWithNumber = typeof value[0] === 'number';
      if (beginsWithNumber) this.copied += value.length * NUMBER_BYTES;
      // A short one may be a record: a number, and the frame that has it.
      if (!beginsWithNumber || value.length <= SHORT) forEachItem(value, (item) => this.add(item));
    } else if (isSharedTensor(value)) {
      this.moved += value.byteLength;
    } else if (types.isMap(value)) {
      for (const [key, item] of value) {
        this.add(key);
        this.add(item);
      }
    } else if (types.isSet(value)) {
      for (const item of value) this.add(item);
    } else {
      for (const key of Object.keys(value)) this.add(Reflect.get(value, key));
    }
  }

  #addBuffer(buffer: ArrayBufferLike, viewedBytes: number): void {
    if (types.isSharedArrayBuffer(buffer)) {
      this.moved += viewedBytes;
      return;
    }
    this.#buffers ??= new Set();
    if (this.#buffers.has(buffer)) return;
    this.#buffers.add(buffer);
    if (this.#transfer.includes(buffer)) this.moved += buffer.byteLength;
    else this.copied += buffer.byteLength;
  }

  #isKnown(value: object): boolean {
    this.#objects += 1;
    if (this.#objects <= UNREMEMBERED_OBJECTS) return false;
    this.#remembered ??= new Set();
    if (this.#remembered.has(value)) return true;
    this.#remembered.add(value);
    return false;
  }
}
