/**
 * Which blocks of an arena are free, as *runs* of neighbouring blocks. The first and the last cell of a run
 * hold its length, above zero when it is free and below when it is taken; the cells between are never read.
 *
 *      block     0    1    2    3    4    5    6    7
 *              ┌────┬────┬────┬────┬────┬────┬────┬────┐
 *              │ +2 │ +2 │ -3 │  · │ -3 │ +3 │  · │ +3 │
 *              └────┴────┴────┴────┴────┴────┴────┴────┘
 *                free      taken          free
 *
 * So a run finds both neighbours at once and merges with the free ones when it is given back: two free runs
 * never touch. Search is first fit from the lowest free run: it walks runs, not blocks, and prefers memory that
 * was used before, which the system has already committed. Every method needs the arena's lock.
 */
import { type ArenaTables, LOWEST_FREE } from './arena-layout.ts';

export class BlockMap {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #runs: Int32Array<SharedArrayBuffer>;

  constructor(tables: ArenaTables) {
    this.#header = tables.header;
    this.#runs = tables.runs;
  }

  get blocks(): number {
    return this.#runs.length;
  }

  /** First block of `count` neighbouring ones, now taken; -1 when there is no free run of that length. */
  take(count: number): number {
    let lowestFree = -1;
    let at = this.#header[LOWEST_FREE] ?? 0;
    while (at < this.#runs.length) {
      const length = this.#lengthAt(at);
      if (length > 0 && lowestFree < 0) lowestFree = at;
      if (length >= count) {
        this.#write(at, -count);
        if (length > count) this.#write(at + count, length - count);
        this.#header[LOWEST_FREE] = lowestFree === at ? at + count : lowestFree;
        return at;
      }
      at += Math.abs(length);
    }
    return -1;
  }

  /** Gives back the run that starts at `first`. */
  give(first: number): void {
    let start = first;
    let end = first - this.#lengthAt(first);
    const after = end < this.#runs.length ? this.#lengthAt(end) : 0;
    if (after > 0) end += after;
    const before = start > 0 ? this.#lengthAt(start - 1) : 0;
    if (before > 0) start -= before;
    this.#write(start, end - start);
    if (start < (this.#header[LOWEST_FREE] ?? 0)) this.#header[LOWEST_FREE] = start;
  }

  /** Forgets everything: one free run. */
  clear(): void {
    this.#runs.fill(0);
    this.#write(0, this.#runs.length);
    this.#header[LOWEST_FREE] = 0;
  }

  /** Marks as taken a run that lies in free blocks: rebuilds a map from what is known to be taken. */
  reclaim(first: number, count: number): void {
    let at = 0;
    while (at + this.#reach(at) <= first) at += this.#reach(at);
    const end = at + this.#reach(at);
    if (first > at) this.#write(at, first - at);
    this.#write(first, -count);
    if (first + count < end) this.#write(first + count, end - first - count);
  }

  #reach(at: number): number {
    return Math.abs(this.#lengthAt(at));
  }

  #lengthAt(block: number): number {
    return this.#runs[block] ?? 0;
  }

  #write(first: number, length: number): void {
    this.#runs[first] = length;
    this.#runs[first + Math.abs(length) - 1] = length;
  }
}
