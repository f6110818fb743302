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

export class WaitLine {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #waits: Int32Array<SharedArrayBuffer>;

  constructor(tables: ArenaTables) {
    this.#header = tables.header;
    this.#waits = tables.waits;
  }

  /** A place at the end, as the number of its row; -1 when the line is full. */
  enter(holder: number): number {
    for (let row = 0; row < this.#waits.length / WAIT_CELLS; row++) {
      if (this.#cell(row, HOLDER) !== 0) continue;
      const ticket = ((this.#header[NEXT_TICKET] ?? 0) + 1) | 0;
      this.#header[NEXT_TICKET] = ticket;
      this.#waits[row * WAIT_CELLS + TICKET] = ticket;
      // From here on the place counts, should the thread die before the next line.
      this.#waits[row * WAIT_CELLS + HOLDER] = holder;
      return row;
    }
    return -1;
  }

  /** Whether nobody stands before that place. @param place -1 for one without a place, who is behind everybody */
  isFirst(place: number): boolean {
    for (let row = 0; row < this.#waits.length / WAIT_CELLS; row++) {
      if (row === place || this.#cell(row, HOLDER) === 0) continue;
      if (place === -1 || ((this.#cell(row, TICKET) - this.#cell(place, TICKET)) | 0) < 0) return false;
    }
    return true;
  }

  leave(place: number): void {
    if (place !== -1) this.#waits[place * WAIT_CELLS + HOLDER] = 0;
  }

  /** Takes out all who waited for a holder that is no more. */
  leaveAll(holder: number): void {
    for (let row = 0; row < this.#waits.length / WAIT_CELLS; row++) {
      if (this.#cell(row, HOLDER) === holder) this.leave(row);
    }
  }

  #cell(row: number, cell: number): number {
    return this.#waits[row * WAIT_CELLS + cell] ?? 0;
  }
}
