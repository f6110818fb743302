/**
 * The line before an arena: who waits for room, across threads, in the order in which they came. A place in it is a row
 * of shared memory, so that the places of a thread that died can be taken out by whoever survives it.
 *
 *     row      ┌────────┬────────┐
 *              │ ticket │ holder │   holder 0: the row is free
 *              └────────┴────────┘
 *
 * Tickets are int32 numbers that wrap around; two of them are compared by their difference. Every method needs the
 * arena's lock. A line that is full takes nobody in: who comes then waits without a place, and goes last.
 */
import { type ArenaTables, NEXT_TICKET, WAIT_CELLS } from './arena-layout.ts';

const TICKET = 0;
const HOLDER = 1;
const NONE = 0;

export class WaitLine {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #waits: Int32Array<SharedArrayBuffer>;

  constructor(tables: ArenaTables) {
    this.#header = tables.header;
    this.#waits = tables.waits;
  }

  /** A place at the end, as its ticket; 0 when the line is full. */
  enter(holder: number): number {
    const row = this.#rowWith(HOLDER, 0);
    if (row === -1) return NONE;
    const next = ((this.#header[NEXT_TICKET] ?? 0) + 1) | 0;
    const ticket = next === NONE ? 1 : next;
    this.#header[NEXT_TICKET] = ticket;
    this.#waits[row * WAIT_CELLS + TICKET] = ticket;
    // From here on the place counts, should the thread die before the next line.
    this.#waits[row * WAIT_CELLS + HOLDER] = holder;
    return ticket;
  }

  /** Whether nobody stands before that ticket. One without a place, or that was taken out, is behind everybody. */
  isFirst(ticket: number): boolean {
    const hasPlace = ticket !== NONE && this.#rowOf(ticket) !== -1;
    for (let row = 0; row < this.#rows; row++) {
      const other = this.#cell(row, TICKET);
      if (this.#cell(row, HOLDER) === 0 || other === ticket) continue;
      if (!hasPlace || ((other - ticket) | 0) < 0) return false;
    }
    return true;
  }

  leave(ticket: number): void {
    const row = ticket === NONE ? -1 : this.#rowOf(ticket);
    if (row !== -1) this.#waits[row * WAIT_CELLS + HOLDER] = 0;
  }

  /** Takes out all who waited for a holder that is no more. */
  leaveAll(holder: number): void {
    for (let row = this.#rowWith(HOLDER, holder); row !== -1; row = this.#rowWith(HOLDER, holder)) {
      this.#waits[row * WAIT_CELLS + HOLDER] = 0;
    }
  }

  get #rows(): number {
    return this.#waits.length / WAIT_CELLS;
  }

  #rowOf(ticket: number): number {
    for (let row = 0; row < this.#rows; row++) {
      if (this.#cell(row, TICKET) === ticket && this.#cell(row, HOLDER) !== 0) return row;
    }
    return -1;
  }

  #rowWith(cell: number, value: number): number {
    for (let row = 0; row < this.#rows; row++) if (this.#cell(row, cell) === value) return row;
    return -1;
  }

  #cell(row: number, cell: number): number {
    return this.#waits[row * WAIT_CELLS + cell] ?? 0;
  }
}
