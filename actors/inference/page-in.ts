/**
 * Reads a graph's files through before it is loaded, so that neither loading it nor its first run waits for a disk: what takes
 * long then hangs, or computes. It is done outside of native code, and pauses between two parts, so it may itself take as long
 * as the disk needs.
 */
import { open } from 'node:fs/promises';

export interface PagedIn {
  readonly bytes: number;
  /** What reading all of it takes now: little, unless there is no memory to keep it. */
  readonly ms: number;
}

const CHUNK = 8 * 1024 * 1024;
/** What takes longer, ms, may have come from a disk: it is read once more, to see whether it stays in memory. */
const QUICK_MS = 1_000;

/** By graph and weights: a thread loads a decoder several times, for runs on other numbers of threads. */
const done = new Map<string, Promise<PagedIn>>();

/** Once for these files in the life of a thread. */
export function pageInOnce(paths: readonly string[]): Promise<PagedIn> {
  const key = JSON.stringify(paths);
  const before = done.get(key);
  if (before !== undefined) return before;
  const reading = pageIn(paths);
  done.set(key, reading);
  return reading;
}

/** A file that cannot be read is left to whoever loads it. */
export async function pageIn(paths: readonly string[], now = () => performance.now()): Promise<PagedIn> {
  const read = async (): Promise<PagedIn> => {
    const startedAt = now();
    let bytes = 0;
    for (const path of paths) bytes += await readThrough(path).catch(() => 0);
    return { bytes, ms: now() - startedAt };
  };
  const first = await read();
  return first.ms <= QUICK_MS ? first : await read();
}

async function readThrough(path: string): Promise<number> {
  await using file = await open(path);
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) return at;
    at += bytesRead;
  }
}
