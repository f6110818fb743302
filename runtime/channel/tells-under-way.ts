/**
 * Which tells of one channel and priority are under way: begun, and not ended. When their actor dies nobody else will ever hear
 * of them, so it is known in shared memory. While a tell is under way its number, in the order in which they were sent,
 * stands in a place. One place is among the cells of flow control; an actor that has several under way at once makes
 * tables of more, and sends them to the client.
 *
 *     int32 index   3                   4                 a table:   0   1   2
 *                ┌───────────────────┬─────────────────┐           ┌───┬───┬───
 *                │ a place           │ tables made     │           │ places      …
 *                └───────────────────┴─────────────────┘           └───┴───┴───
 *     all written by the actor
 *
 * The actor writes the place before it counts the tell as started. So the client that reads the count first and the
 * places then finds there whichever it knows to have started, unless that has ended.
 */
const PLACE = 3;
const TABLES = 4;

/** In a place where no tell stands. */
const FREE = 0;
const FIRST_TABLE = 16;

type Cells = Int32Array<SharedArrayBuffer>;

/** A number as it stands in its place: never `FREE`. */
const placed = (number: number): number => (number << 1) | 1;

/** Where one tell stands. */
export interface Place {
  readonly cells: Cells;
  readonly at: number;
}

/** The actor's side. */
export class TellPlaces {
  readonly #cells: Cells;
  readonly #announce: (table: SharedArrayBuffer) => void;
  readonly #free: Place[];
  #nextTable = FIRST_TABLE;

  /** @param cells those of flow control @param announce sends a table to the client, before anything else that is sent */
  constructor(cells: Cells, announce: (table: SharedArrayBuffer) => void) {
    this.#cells = cells;
    this.#announce = announce;
    this.#free = [{ cells, at: PLACE }];
  }

  /** A tell begins, and is not counted as started yet. */
  take(number: number): Place {
    if (this.#free.length === 0) this.#makeTable();
    const place = this.#free.pop() ?? { cells: this.#cells, at: PLACE }; // there is one
    Atomics.store(place.cells, place.at, placed(number));
    return place;
  }

  /** It has ended, one way or the other. */
  giveBack(place: Place): void {
    Atomics.store(place.cells, place.at, FREE);
    this.#free.push(place);
  }

  #makeTable(): void {
    const cells = new Int32Array(new SharedArrayBuffer(this.#nextTable * Int32Array.BYTES_PER_ELEMENT));
    this.#nextTable *= 2;
    this.#announce(cells.buffer);
    Atomics.add(this.#cells, TABLES, 1);
    for (const at of cells.keys()) this.#free.push({ cells, at });
  }
}

/** The client's side. */
export class BegunTells {
  readonly #cells: Cells;
  readonly #tables: Cells[] = [];
  /** By their numbers as they stand in places. */
  readonly #methods = new Map<number, string>();
  /** What stood in places when that was last looked at. */
  readonly #seen = new Set<number>();
  /** All places were known then. */
  #sawAll = true;

  /** @param cells those of flow control */
  constructor(cells: Cells) {
    this.#cells = cells;
  }

  /** Of those that were under way when that was last looked at. */
  get methods(): Iterable<string> {
    return this.#methods.values();
  }

  get size(): number {
    return this.#methods.size;
  }

  addTable(table: SharedArrayBuffer): void {
    this.#tables.push(new Int32Array(table));
  }

  /** Looks which of them go on. To be called after the count of what has started was read. */
  look(): void {
    this.#seen.clear();
    this.#see(Atomics.load(this.#cells, PLACE));
    for (const table of this.#tables) for (const at of table.keys()) this.#see(Atomics.load(table, at));
    // A table may be on its way: until it has come, whatever has begun may be under way.
    this.#sawAll = Atomics.load(this.#cells, TABLES) === this.#tables.length;
    if (!this.#sawAll) return;
    for (const number of this.#methods.keys()) if (!this.#seen.has(number)) this.#methods.delete(number);
  }

  /** This one has started, as far as was known when it was last looked. */
  note(number: number, method: string): void {
    if (!this.#sawAll || this.#seen.has(placed(number))) this.#methods.set(placed(number), method);
  }

  #see(number: number): void {
    if (number !== FREE) this.#seen.add(number);
  }
}
