/**
 * Values by numbers that are given out one after another and taken back soon: the calls that are under way.
 *
 * What a Map would do, but a Map that many come to and leave makes a new table each time that its old one is full of what has
 * left, and V8's old table refers to the new one. A single table that has become old keeps all later ones from the quick
 * collection of what is young, with the calls in them: each such collection then copied half of what it looked at.
 *
 *     id 70, 71, 8, 73      place: id & (capacity − 1)
 *     ┌────┬───┬───┬───┬───┬───┬────┬────┐
 *     │ 8  │73 │   │   │   │   │ 70 │ 71 │   one whose place is taken by another that stays long lies beside, in a Map
 *     └────┴───┴───┴───┴───┴───┴────┴────┘
 */
const FIRST_CAPACITY = 64;
const NONE = -1;

export class IdTable<Value extends NonNullable<unknown>> {
  #ids: number[] = new Array(FIRST_CAPACITY).fill(NONE);
  #values: (Value | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #beside: Map<number, Value> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param id a whole number from 0 that has no value here */
  set(id: number, value: Value): void {
    if (this.#ids[this.#place(id)] !== NONE && 2 * this.#size >= this.#ids.length) this.#grow();
    this.#put(id, value);
    this.#size += 1;
  }

  /** Undefined: there is none. */
  get(id: number): Value | undefined {
    const place = this.#place(id);
    return this.#ids[place] === id ? this.#values[place] : this.#beside?.get(id);
  }

  /** Whether there was one. */
  delete(id: number): boolean {
    const place = this.#place(id);
    if (this.#ids[place] === id) {
      this.#ids[place] = NONE;
      this.#values[place] = undefined;
    } else if (this.#beside?.delete(id) !== true) return false;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#ids.fill(NONE);
    this.#values.fill(undefined);
    this.#beside = undefined;
    this.#size = 0;
  }

  /** In the order of their ids. */
  values(): Value[] {
    const entries = [...this.#entries()];
    return entries.sort(([one], [other]) => one - other).map(([, value]) => value);
  }

  *#entries(): Iterable<readonly [id: number, value: Value]> {
    for (const [place, value] of this.#values.entries())
      if (value !== undefined) yield [this.#ids[place] ?? NONE, value];
    yield* this.#beside ?? [];
  }

  #put(id: number, value: Value): void {
    const place = this.#place(id);
    if (this.#ids[place] === NONE) {
      this.#ids[place] = id;
      this.#values[place] = value;
    } else {
      this.#beside ??= new Map();
      this.#beside.set(id, value);
    }
  }

  #grow(): void {
    const entries = [...this.#entries()];
    const capacity = this.#ids.length * 2;
    this.#ids = new Array(capacity).fill(NONE);
    this.#values = new Array(capacity).fill(undefined);
    this.#beside = undefined;
    for (const [id, value] of entries) this.#put(id, value);
  }

  #place(id: number): number {
    return id & (this.#ids.length - 1);
  }
}
