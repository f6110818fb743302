/**
 * Disk space for the large entries of the graph cache: copies of weights, and packed ones. Together they take half of a
 * disk at most, and leave some of it free. Entries that nobody has used for long are removed when another is made.
 */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from './graph-cache.ts';

/** Purposes of entries with weights. */
export const COPIED_WEIGHTS = 'weights';
export const PACKED_WEIGHTS = 'packed';
const LARGE = [`${COPIED_WEIGHTS}-`, `${PACKED_WEIGHTS}-`];

const DAY_MS = 86_400_000;
/** Whoever uses an entry says so more often (`used` of `graph-cache.ts`): it may be removed where there is no room. */
const IDLE_AFTER_MS = DAY_MS;
/** Of another revision, or of a model that nobody serves any more. */
const FORGOTTEN_AFTER_MS = 30 * DAY_MS;

/** Of the disk, for all entries. */
const SHARE = 1 / 2;
/** Left free for others: a twentieth of the disk, this at most. */
const MOST_LEFT_FREE = 1024 * 1024 * 1024;

interface LargeEntry {
  readonly path: string;
  readonly bytes: number;
  readonly idleMs: number;
}

/**
 * Removes what has to go so that an entry of so many bytes can be made.
 *
 * @param root an existing folder
 * @throws Error when there is no room for it
 */
export async function makeRoom(root: string, bytes: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(root);
  const size = blocks * bsize;
  const leftFree = Math.min(MOST_LEFT_FREE, size / 20);
  const entries = await largeEntries(root);
  let held = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  let free = bavail * bsize;
  const fits = () => held + bytes <= size * SHARE && free - bytes >= leftFree;
  for (const entry of entries) {
    if (entry.idleMs < (fits() ? FORGOTTEN_AFTER_MS : IDLE_AFTER_MS)) continue;
    // Another user's, or removed by another process.
    const removed = await rm(entry.path, { recursive: true }).then(
      () => true,
      () => false,
    );
    if (removed) [held, free] = [held - entry.bytes, free + entry.bytes];
  }
  if (fits()) return;
  const [needed, there] = [bytes, free].map((count) => Math.ceil(count / 1e6));
  throw new Error(`${needed} MB of weights are too much for the disk (${there} MB are free, ${root})`);
}

/** Those that were used least recently come first. */
async function largeEntries(root: string): Promise<LargeEntry[]> {
  const names = (await readdir(root)).filter((name) => LARGE.some((purpose) => name.startsWith(purpose)));
  // One that is being removed by another process, or has no manifest, counts nothing.
  const entries = await Promise.all(names.map((name) => entryAt(join(root, name)).catch(() => undefined)));
  return entries.filter((entry) => entry !== undefined).sort((one, other) => other.idleMs - one.idleMs);
}

async function entryAt(path: string): Promise<LargeEntry> {
  const { mtimeMs } = await stat(join(path, MANIFEST));
  const sizes = await Promise.all(
    (await readdir(path)).map(async (name) => (await stat(join(path, name))).size),
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { path, bytes, idleMs: Date.now() - mtimeMs };
}
