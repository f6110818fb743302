/**
 * A queue with constant-time `push`, `shift` and `unshift`: a ring that doubles when it is full.
 *
 *             head (next to shift)        tail = head + size (next free)
 *               ▼                           ▼
 *     ┌───┬───┬───┬───┬───┬───┬───┬───┐   the capacity is a power of two, so positions wrap by a mask;
 *     │   │   │ a │ b │ c │ d │ e │   │   slots outside [head, tail) are undefined and keep nothing alive
 *     └───┴───┴───┴───┴───┴───┴───┴───┘
 *
 * It never shrinks: a mailbox that was once full will be full again. `undefined` cannot be queued, since it
 * means "empty" to `shift`.
 */
const FIRST_CAPACITY = 16;

export class FifoQueue<Item extends NonNullable<unknown> | null> implements Iterable<Item> {
  #ring: (Item | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds at the end. */
  push(item: Item): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[this.#slot(this.#size)] = item;
    this.#size += 1;
  }

  /** Adds at the front: the next to be shifted. */
  unshift(item: Item): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#head = this.#slot(-1);
    this.#ring[this.#head] = item;
    this.#size += 1;
  }

  /** Takes the first; `undefined` when empty. */
  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#slot(1);
    this.#size -= 1;
    return item;
  }

  /** The first, which stays; `undefined` when empty. */
  peek(): Item | undefined {
    return this.#ring[this.#head];
  }

  /** Takes out the first item that fits, wherever it is, in time proportional to the queue; the order stays. */
  remove(fits: (item: Item) => boolean): Item | undefined {
    for (let index = 0; index < this.#size; index++) {
      const item = this.#ring[this.#slot(index)];
      if (item === undefined || !fits(item)) continue;
      for (let later = index + 1; later < this.#size; later++) {
        this.#ring[this.#slot(later - 1)] = this.#ring[this.#slot(later)];
      }
      this.#size -= 1;
      this.#ring[this.#slot(this.#size)] = undefined;
      return item;
    }
    return undefined;
  }

  /** Empties the queue and returns what was in it, in order. */
  drain(): Item[] {
    const items = [...this];
    this.#ring.fill(undefined);
    this.#head = 0;
    this.#size = 0;
    return items;
  }

  /** In order, without taking. The queue must not change meanwhile. */
  *[Symbol.iterator](): Iterator<Item> {
    for (let index = 0; index < this.#size; index++) {
      const item = this.#ring[this.#slot(index)];
      if (item !== undefined) yield item;
    }
  }

  #slot(offset: number): number {
    return (this.#head + offset) & (this.#ring.length - 1);
  }

  #grow(): void {
    const items: (Item | undefined)[] = [...this];
    const capacity = this.#ring.length * 2;
    while (items.length < capacity) items.push(undefined);
    this.#ring = items;
    this.#head = 0;
  }
}
