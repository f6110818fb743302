/**
 * A file that is being downloaded, in pieces that come side by side. What is there can be told from the sizes of the files
 * alone, so a process that is killed leaves nothing behind that has to be kept in step:
 *
 *     <hash>.incomplete          the beginning, without a gap: piece 0, and what was joined to it since
 *     <hash>.incomplete.<from>   a later piece, from this byte on
 *
 * A program that knows of the first alone (older versions of Python's huggingface_hub) goes on from its end.
 */
import { type FileHandle, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** A stretch of the file that has still to come: `from` up to, and without, `to`. */
export interface Gap {
  /** Where its piece begins. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** Pieces of less are not worth a connection each. */
const SMALLEST_PIECE = 32 * 1024 * 1024;
const MOST_PIECES = 4;
const JOIN_BYTES = 4 * 1024 * 1024;

export class PartialFile {
  readonly #path: string;
  readonly #size: number;
  /** Where pieces begin, ascending; the first is 0. */
  readonly #starts: readonly number[];

  private constructor(path: string, size: number, starts: readonly number[]) {
    this.#path = path;
    this.#size = size;
    this.#starts = starts;
  }

  /**
   * @param target where the whole file is to be
   * @param size of the whole file, bytes
   */
  static async open(target: string, size: number): Promise<PartialFile> {
    const path = `${target}.incomplete`;
    const prefix = await sizeOf(path);
    const begun: number[] = [];
    for (const start of await startsOf(path)) {
      const piece = `${path}.${start}`;
      // What the beginning has reached over, or a file of this size would not have.
      const isOver = start + (await sizeOf(piece)) <= prefix || start >= size;
      if (isOver) await rm(piece, { force: true });
      else begun.push(start);
    }
    // What was begun is gone on with, however it was divided.
    const isBegun = begun.length > 0 || prefix > 0;
    return new PartialFile(path, size, isBegun ? [0, ...begun] : freshStarts(size));
  }

  /** The same, of one piece and from nothing: for who is sent whole files only. */
  static async inOnePiece(target: string, size: number): Promise<PartialFile> {
    await (await PartialFile.open(target, size)).discard();
    return new PartialFile(`${target}.incomplete`, size, [0]);
  }

  /** Bytes of the file that are there. */
  async present(): Promise<number> {
    const missing = (await this.gaps()).reduce((sum, { from, to }) => sum + to - from, 0);
    return this.#size - missing;
  }

  async gaps(): Promise<readonly Gap[]> {
    const prefix = await sizeOf(this.#path);
    const gaps: Gap[] = [];
    for (const [index, start] of this.#starts.entries()) {
      const to = this.#starts[index + 1] ?? this.#size;
      const there = start === 0 ? prefix : start + (await sizeOf(this.#pathOf(start)));
      // The beginning may reach into later pieces, which are being joined to it.
      const from = Math.max(Math.min(there, to), Math.min(prefix, to));
      if (from < to) gaps.push({ start, from, to });
    }
    return gaps;
  }

  /** To write what comes at the beginning of a gap. To be closed. */
  async append({ start }: Gap): Promise<FileHandle> {
    return await open(this.#pathOf(start), 'a');
  }

  /** Joins the pieces when all are there, and gives the path of the whole. */
  async join(): Promise<string> {
    const whole = await open(this.#path, 'a');
    try {
      let at = (await whole.stat()).size;
      for (const [index, start] of this.#starts.entries()) {
        const to = this.#starts[index + 1] ?? this.#size;
        if (start > 0 && at < to) await copyInto(whole, this.#pathOf(start), at - start);
        at = Math.max(at, to);
        // Each is gone once it was joined: there is room for one piece twice, not for all.
        if (start > 0) await rm(this.#pathOf(start), { force: true });
      }
    } finally {
      await whole.close();
    }
    // Of a longer file, begun under the same name.
    if ((await sizeOf(this.#path)) > this.#size) await truncate(this.#path, this.#size);
    return this.#path;
  }

  /** The file is what it should be. */
  async complete(): Promise<void> {
    await rename(this.#path, this.#path.replace(/\.incomplete$/, ''));
  }

  /** Nothing of it can be used. */
  async discard(): Promise<void> {
    await Promise.all(this.#starts.map((start) => rm(this.#pathOf(start), { force: true })));
  }

  #pathOf(start: number): string {
    return start === 0 ? this.#path : `${this.#path}.${start}`;
  }
}

function freshStarts(size: number): number[] {
  const pieces = Math.max(1, Math.min(MOST_PIECES, Math.floor(size / SMALLEST_PIECE)));
  return Array.from({ length: pieces }, (_, index) => Math.floor((size / pieces) * index));
}

async function copyInto(whole: FileHandle, path: string, from: number): Promise<void> {
  const piece = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(JOIN_BYTES);
    for (let at = from; ; ) {
      const { bytesRead } = await piece.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      await whole.writeFile(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await piece.close();
  }
}

/** Where later pieces begin that are there already. */
async function startsOf(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  const numbers = names
    .filter((name) => name.startsWith(prefix) && /^\d{1,15}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
  return numbers.sort((a, b) => a - b);
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** What lies beside blobs and is none. */
export function isPartial(name: string): boolean {
  return /\.incomplete(?:\.\d+)?$/.test(name);
}
