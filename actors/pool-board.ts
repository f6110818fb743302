/**
 * What the actors of one pool know of each other without asking, in shared memory: who works at this moment, and who has
 * run the beginning of a prompt. All of it is hints: a wrong one costs time, and never an answer.
 *
 *     int32   members × [ answers, pictures ]      written by each member alone
 *             ROWS × [ tag, holders 0…31, holders 32…63 ]      a row for the names of blocks that fall into it
 */
import { BLOCK } from './pd/prefix-cache/prefix-keys.ts';

/** For the arguments of actors. */
export interface PoolBoardMemory {
  readonly members: number;
  readonly memory: SharedArrayBuffer;
}

/** What a member is at work on. */
export type PoolWork = 'answers' | 'pictures';

/** A million tokens of prompts in blocks of 16; 768 KiB. */
const ROWS = 2 ** 16;
const ROW_CELLS = 3;
const WORK_CELLS = 2;
const BITS = 32;

export class PoolBoard {
  readonly #members: number;
  readonly #cells: Int32Array<SharedArrayBuffer>;

  /** @param take gives zeroed memory of so many bytes */
  static create(members: number, take: (bytes: number) => SharedArrayBuffer): PoolBoardMemory {
    const cells = members * WORK_CELLS + ROWS * ROW_CELLS;
    return { members, memory: take(cells * Int32Array.BYTES_PER_ELEMENT) };
  }

  constructor({ members, memory }: PoolBoardMemory) {
    this.#members = members;
    this.#cells = new Int32Array(memory);
  }

  /** A member begins, with nothing of what an earlier incarnation of it had. */
  enter(member: number): void {
    this.note(member, 'answers', 0);
    this.note(member, 'pictures', 0);
    const bit = ~bitOf(member);
    for (let row = 0; row < ROWS; row++) Atomics.and(this.#cells, this.#holdersAt(row, member), bit);
  }

  /** How much of a kind a member has in work. */
  note(member: number, work: PoolWork, count: number): void {
    Atomics.store(this.#cells, member * WORK_CELLS + (work === 'answers' ? 0 : 1), count);
  }

  /** Whether no other member has anything in work. */
  isAlone(member: number): boolean {
    for (let cell = 0; cell < this.#members * WORK_CELLS; cell++) {
      const others = Math.floor(cell / WORK_CELLS) !== member;
      if (others && Atomics.load(this.#cells, cell) !== 0) return false;
    }
    return true;
  }

  /** A member has a block. @param key see `prefixKeys` */
  keep(member: number, key: string): void {
    const { row, tag } = placeOf(key);
    const at = this.#rowAt(row);
    if (Atomics.load(this.#cells, at) !== tag) {
      for (let cell = 1; cell < ROW_CELLS; cell++) Atomics.store(this.#cells, at + cell, 0);
      Atomics.store(this.#cells, at, tag);
    }
    Atomics.or(this.#cells, this.#holdersAt(row, member), bitOf(member));
  }

  /** It has it no more. */
  drop(member: number, key: string): void {
    const { row, tag } = placeOf(key);
    if (Atomics.load(this.#cells, this.#rowAt(row)) !== tag) return;
    Atomics.and(this.#cells, this.#holdersAt(row, member), ~bitOf(member));
  }

  /** How many tokens from a prompt's start on each member has. @param keys of its blocks, in order */
  heldTokens(keys: readonly string[]): number[] {
    const held = new Array<number>(this.#members).fill(0);
    for (const [block, key] of keys.entries()) {
      const { row, tag } = placeOf(key);
      if (Atomics.load(this.#cells, this.#rowAt(row)) !== tag) break;
      let anybody = false;
      for (let member = 0; member < this.#members; member++) {
        const holders = Atomics.load(this.#cells, this.#holdersAt(row, member));
        // A block is of use only behind all before it.
        if ((holders & bitOf(member)) === 0 || held[member] !== block * BLOCK) continue;
        held[member] = (block + 1) * BLOCK;
        anybody = true;
      }
      if (!anybody) break;
    }
    return held;
  }

  #rowAt(row: number): number {
    return this.#members * WORK_CELLS + row * ROW_CELLS;
  }

  #holdersAt(row: number, member: number): number {
    return this.#rowAt(row) + 1 + Math.floor(member / BITS);
  }
}

function bitOf(member: number): number {
  return 1 << (member % BITS);
}

/** A key is a SHA-256 in hex: any of its bits are as good as others. A tag is never 0, which stands for none. */
function placeOf(key: string): { readonly row: number; readonly tag: number } {
  const row = Number.parseInt(key.slice(0, 8), 16) % ROWS;
  return { row, tag: Number.parseInt(key.slice(8, 16), 16) | 1 };
}

/** Which of its pool an actor is. @param name `pool/0` */
export function memberIndex(name: string): number {
  return Number(name.slice(name.lastIndexOf('/') + 1));
}
