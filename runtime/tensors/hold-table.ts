/**
 * Who holds which tensor of an arena. A tensor is an *entry*; each holder of it is a *hold*, a row of a second
 * table, and the holds of an entry are a chain, so that taking and dropping a hold costs no more than the few
 * holders that the tensor has. Chains are row numbers plus one; zero ends them. Unused rows form chains too.
 *
 *     entry    ┌────────────┬─────────────┬────────┬────────────┐
 *              │ generation │ first block │ blocks │ chain ──┐  │
 *              └────────────┴─────────────┴────────┴─────────│──┘
 *                        ┌───────────────────────────────────┘
 *     hold               ▼
 *              ┌────────┬───────┬───────┬──────┐     ┌────────┬───────┬───────┬──────┐
 *              │ holder │ entry │ count │ next ├────▶│ holder │ entry │ count │  0   │
 *              └────────┴───────┴───────┴──────┘     └────────┴───────┴───────┴──────┘
 *
 * `generation` grows when the last hold goes, which makes every record of the old tensor stale. What the table
 * says is decided by the `holder` cells and each entry's blocks; chains and counts can be rebuilt from them
 * (see `arena-repair.ts`). Every method but `generationOf` needs the arena's lock.
 */
import { type ArenaTables, ENTRY_CELLS, FREE_ENTRIES, FREE_HOLDS, HOLD_CELLS } from './arena-layout.ts';

const GENERATION = 0;
const FIRST_BLOCK = 1;
const BLOCKS = 2;
const CHAIN = 3;

const HOLDER = 0;
const ENTRY = 1;
const COUNT = 2;
const NEXT = 3;

export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

export class HoldTable {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #entries: Int32Array<SharedArrayBuffer>;
  readonly #holds: Int32Array<SharedArrayBuffer>;

  constructor(tables: ArenaTables) {
    this.#header = tables.header;
    this.#entries = tables.entries;
    this.#holds = tables.holds;
  }

  get entries(): number {
    return this.#entries.length / ENTRY_CELLS;
  }

  get holds(): number {
    return this.#holds.length / HOLD_CELLS;
  }

  /** Whether a tensor with one holder can be written down. */
  get hasRoom(): boolean {
    return this.#header[FREE_ENTRIES] !== 0 && this.#header[FREE_HOLDS] !== 0;
  }

  /** Readable without the lock. */
  generationOf(entry: number): number {
    return Atomics.load(this.#entries, entry * ENTRY_CELLS + GENERATION);
  }

  /** Count 0: the entry is unused. */
  blocksOf(entry: number): BlockRun {
    return { first: this.#entry(entry, FIRST_BLOCK), count: this.#entry(entry, BLOCKS) };
  }

  /** Writes down a tensor with its first hold; needs `hasRoom`. Returns the entry. */
  open(firstBlock: number, blocks: number, holder: number): number {
    const entry = (this.#header[FREE_ENTRIES] ?? 0) - 1;
    this.#header[FREE_ENTRIES] = this.#entry(entry, CHAIN);
    this.#setEntry(entry, CHAIN, 0);
    this.#setEntry(entry, FIRST_BLOCK, firstBlock);
    this.#setEntry(entry, BLOCKS, blocks);
    this.#link(entry, holder);
    return entry;
  }

  /** False when the table is full. */
  retain(entry: number, holder: number): boolean {
    const row = this.#find(entry, holder);
    if (row !== 0) {
      this.#setHold(row, COUNT, this.#hold(row, COUNT) + 1);
      return true;
    }
    if (this.#header[FREE_HOLDS] === 0) return false;
    this.#link(entry, holder);
    return true;
  }

  /** Takes back one `retain`. False when `holder` has no hold. */
  release(entry: number, holder: number): boolean {
    const row = this.#find(entry, holder);
    if (row === 0) return false;
    const count = this.#hold(row, COUNT) - 1;
    if (count > 0) this.#setHold(row, COUNT, count);
    else this.#unlink(row);
    return true;
  }

  /** Drops the next hold of `holder` at or after `row` (counted from 1), with all its retains. 0: no more. */
  releaseNext(holder: number, row: number): number {
    for (let at = row; at <= this.holds; at++) {
      if (this.#hold(at, HOLDER) !== holder) continue;
      this.#unlink(at);
      return at;
    }
    return 0;
  }

  /** Entry of a row (counted from 1), which stays written there after the hold was dropped. */
  entryOf(row: number): number {
    return this.#hold(row, ENTRY);
  }

  /** Of an entry in use only: the chain of an unused one is that of the free entries. */
  isHeld(entry: number): boolean {
    return this.#entry(entry, CHAIN) !== 0;
  }

  /** Ends a tensor without holds: its records are stale from here on. */
  close(entry: number): void {
    const at = entry * ENTRY_CELLS + GENERATION;
    Atomics.store(this.#entries, at, (Atomics.load(this.#entries, at) + 1) | 0);
    this.#setEntry(entry, BLOCKS, 0);
    this.#setEntry(entry, CHAIN, this.#header[FREE_ENTRIES] ?? 0);
    this.#header[FREE_ENTRIES] = entry + 1;
  }

  /** Makes all chains anew from the `holder` cells; entries without a hold are closed. */
  rebuild(): void {
    for (let entry = 0; entry < this.entries; entry++) this.#setEntry(entry, CHAIN, 0);
    this.#header[FREE_HOLDS] = 0;
    for (let row = this.holds; row > 0; row--) {
      if (this.#hold(row, HOLDER) === 0) {
        this.#setHold(row, NEXT, this.#header[FREE_HOLDS] ?? 0);
        this.#header[FREE_HOLDS] = row;
      } else {
        const entry = this.#hold(row, ENTRY);
        this.#setHold(row, NEXT, this.#entry(entry, CHAIN));
        this.#setEntry(entry, CHAIN, row);
      }
    }
    this.#header[FREE_ENTRIES] = 0;
    for (let entry = this.entries - 1; entry >= 0; entry--) {
      if (!this.isHeld(entry)) this.close(entry);
    }
  }

  #find(entry: number, holder: number): number {
    let row = this.#entry(entry, CHAIN);
    while (row !== 0 && this.#hold(row, HOLDER) !== holder) row = this.#hold(row, NEXT);
    return row;
  }

  #link(entry: number, holder: number): void {
    const row = this.#header[FREE_HOLDS] ?? 0;
    this.#header[FREE_HOLDS] = this.#hold(row, NEXT);
    this.#setHold(row, ENTRY, entry);
    this.#setHold(row, COUNT, 1);
    this.#setHold(row, NEXT, this.#entry(entry, CHAIN));
    // From here on the hold counts, should the thread die before the next line.
    this.#setHold(row, HOLDER, holder);
    this.#setEntry(entry, CHAIN, row);
  }

  #unlink(row: number): void {
    this.#setHold(row, HOLDER, 0);
    const entry = this.#hold(row, ENTRY);
    const next = this.#hold(row, NEXT);
    let at = this.#entry(entry, CHAIN);
    if (at === row) {
      this.#setEntry(entry, CHAIN, next);
    } else {
      while (this.#hold(at, NEXT) !== row) at = this.#hold(at, NEXT);
      this.#setHold(at, NEXT, next);
    }
    this.#setHold(row, NEXT, this.#header[FREE_HOLDS] ?? 0);
    this.#header[FREE_HOLDS] = row;
  }

  #entry(entry: number, cell: number): number {
    return this.#entries[entry * ENTRY_CELLS + cell] ?? 0;
  }

  #setEntry(entry: number, cell: number, value: number): void {
    this.#entries[entry * ENTRY_CELLS + cell] = value;
  }

  #hold(row: number, cell: number): number {
    return this.#holds[(row - 1) * HOLD_CELLS + cell] ?? 0;
  }

  #setHold(row: number, cell: number, value: number): void {
    this.#holds[(row - 1) * HOLD_CELLS + cell] = value;
  }
}
