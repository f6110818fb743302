/**
 * Files that are derived from a model once and used at every later start: the rewritten decoder, prepacked weights.
 * An entry is a folder named for its purpose and a key; the key must say everything that the files depend on
 * (content hashes, versions), so an entry never goes stale, it only goes unused.
 *
 *     <root>/<purpose>-<key>/           made under another name, then renamed: it is there whole or not at all
 *         manifest.json                 length, SHA-256 and identity of each file
 *         <files of the maker>
 *
 * Only what this user, or root, has written is used, and nobody else can have changed: in a folder that others can write
 * to, they can lay a graph under the right name.
 *
 * Where the roots are is said in `cache-roots.ts`. Files that actors map are not to be written to: nobody may, but for root
 * and for this user after a `chmod`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { platform } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { identityOf } from './file-identity.ts';

/** How the reason begins for which derived files are not used, where they could not be written. */
export const NOT_KEPT = 'the graph cache cannot be written';

/** Of an entry; its time says when the entry was last used. */
export const MANIFEST = 'manifest.json';

const DRAFT = '.draft-';
/** No draft takes an hour. */
const FORSAKEN_AFTER_MS = 3_600_000;

/** Bytes read at once: weights are gigabytes. */
const HASH_CHUNK = 1024 * 1024;
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
const EVERYBODY = 0o444;

/** Windows refuses to remove what is read-only. */
const fileMode = (readers: number): number => (platform() === 'win32' ? 0o644 : 0o400 | readers);

const manifestSchema = z.strictObject({
  files: z.record(
    z.string(),
    z.strictObject({ bytes: z.number(), sha256: z.string(), identity: z.string() }),
  ),
});
type Manifest = z.infer<typeof manifestSchema>;

export interface GraphCacheEntry {
  /** What the entry is, as the start of its name: `decoder`, `weights`. Letters, digits and hyphens. */
  readonly purpose: string;
  /** Hash of everything that the files depend on, full length, hex. */
  readonly key: string;
  /** Files that it must have. */
  readonly needs: readonly string[];
  /** SHA-256 of files that are known before they are written, hex. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** Who may read the files, as bits of their mode. Default: everybody. */
  readonly readers?: number;
  /** Writes the files into an empty folder; called only when the entry is missing or damaged. */
  make(folder: string): Promise<void>;
}

/**
 * The folder of an entry, made if need be. Safe for any number of threads and processes at once: each makes its own
 * copy, the first one there is used by all. A damaged entry is made anew.
 *
 * @param roots see `cacheRoots`
 * @throws what `make` throws; the system's error for the last root when none can be written
 */
export async function cachedFolder(roots: readonly string[], entry: GraphCacheEntry): Promise<string> {
  const folders = roots.map((root) => join(root, `${entry.purpose}-${entry.key}`));
  for (const folder of folders) if (await isWhole(folder, entry)) return await used(folder);
  let unwritable: unknown = new Error('There is no cache folder');
  for (const [index, root] of roots.entries()) {
    const draft = join(root, `${DRAFT}${process.pid}-${randomUUID()}`);
    try {
      await mkdir(draft, { recursive: true, mode: 0o755 });
    } catch (error) {
      unwritable = error;
      continue;
    }
    try {
      await removeForsaken(root);
      await entry.make(draft);
      await writeManifest(draft, entry);
      const folder = folders[index] ?? root;
      if (await publish(draft, folder, entry)) return folder;
      unwritable = new Error(`${folder} is in the way and cannot be replaced`);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  throw unwritable;
}

/** Marks an entry as in use now: what nobody has used for long may be removed (see `cache-room.ts`). */
export async function used(folder: string): Promise<string> {
  const now = new Date();
  await utimes(join(folder, MANIFEST), now, now).catch(() => {}); // another user's, or one that may only be read
  return folder;
}

/** SHA-256 of a file, hex. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: HASH_CHUNK }), hash);
  return hash.digest('hex');
}

/** Drafts of processes that were killed while they made them. */
async function removeForsaken(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(DRAFT)) continue;
    const path = join(root, name);
    // Another process may remove it, or publish it, at the same time.
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > FORSAKEN_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Renames a draft to its place. Somebody else's whole entry wins; a damaged one is put aside first. False when it is not
 * ours to be put aside.
 */
async function publish(draft: string, folder: string, entry: GraphCacheEntry): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(draft, folder);
      return true;
    } catch (error) {
      if (await isWhole(folder, entry)) return true;
      if (!isTaken(error)) throw error;
      if (attempt >= 3) return false;
      const damaged = `${draft}-damaged-${attempt}`;
      // Another process may put it aside first: then there is nothing left to move.
      await rename(folder, damaged).catch(() => {});
      await rm(damaged, { recursive: true, force: true });
    }
  }
}

async function writeManifest(
  folder: string,
  { hashes = {}, readers = EVERYBODY }: GraphCacheEntry,
): Promise<void> {
  const files: Manifest['files'] = {};
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    await chmod(path, fileMode(readers)); // whatever the process's mask allows others
    const sha256 = await fileHash(path);
    if ((hashes[name] ?? sha256) !== sha256) throw new Error(`${name} changed while it was copied`);
    const { text: identity, bytes } = await identityOf(path);
    files[name] = { bytes, sha256, identity };
  }
  await writeFile(join(folder, MANIFEST), JSON.stringify({ files }), { mode: 0o644 });
}

/** True when all files that are needed are there as they were written, by somebody to be trusted. */
async function isWhole(folder: string, { needs, hashes = {} }: GraphCacheEntry): Promise<boolean> {
  try {
    if (!(await isOurs(folder, 'folder')) || !(await isOurs(join(folder, MANIFEST), 'file'))) return false;
    const { files } = manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')));
    if (needs.some((name) => files[name] === undefined)) return false;
    for (const [name, { bytes, sha256, identity }] of Object.entries(files)) {
      const path = join(folder, name);
      if (basename(name) !== name || !(await isOurs(path, 'file'))) return false;
      if ((hashes[name] ?? sha256) !== sha256) return false;
      const now = await identityOf(path);
      if (now.settled && now.text === identity) continue; // weights are gigabytes, and starts many
      if (now.bytes !== bytes || (await fileHash(path)) !== sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Links are not followed: whoever owns a link says what it leads to. */
async function isOurs(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  const stats = await lstat(path);
  if (kind === 'file' ? !stats.isFile() : !stats.isDirectory()) return false;
  const user = process.getuid?.();
  if (user === undefined) return true; // Windows: a user's folders are the user's
  return (stats.uid === user || stats.uid === ROOT) && (stats.mode & WRITABLE_BY_OTHERS) === 0;
}

function isTaken(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR' || code === 'EPERM';
}
