/**
 * Copies of weights that actors map, in the graph cache: what is mapped must not change, and nobody who replaces, writes to or cuts
 * a model's files should have to know that they are in use. A copy costs nothing where the file system clones files, and is
 * made once for a content: who comes with the same weights finds it.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../runtime/util/realms.ts';
import { COPIED_WEIGHTS, makeRoom } from './cache-room.ts';
import { mappedRoots } from './cache-roots.ts';
import { identityOf } from './file-identity.ts';
import { cachedFolder, fileHash, NOT_KEPT } from './graph-cache.ts';

/** One file with weights. */
export interface WeightFile {
  /** Where it is; a link is followed. */
  readonly path: string;
  /** What graphs call it: names without a folder, one at least. */
  readonly names: readonly string[];
}

/** Plain data: it comes from another thread. */
export type CopiedWeights =
  | { readonly copied: true; readonly folder: string }
  /** `reason`: one line. */
  | { readonly copied: false; readonly reason: string };

/** Raise it when what is written changes. */
const VERSION = 1;

/** Finds or makes the folder with copies of these files. Never fails: what cannot be kept is reported. */
export async function copiedWeights(files: readonly WeightFile[]): Promise<CopiedWeights> {
  try {
    return { copied: true, folder: await findOrMake(files, mappedRoots()) };
  } catch (error) {
    return { copied: false, reason: `${NOT_KEPT}: ${messageOf(error).replace(/\s+/g, ' ')}` };
  }
}

async function findOrMake(files: readonly WeightFile[], roots: readonly string[]): Promise<string> {
  const hashes: Record<string, string> = {};
  for (const { path, names } of files) {
    const content = await contentOf(path, roots);
    for (const name of names) hashes[name] = content;
  }
  const needs = Object.keys(hashes).sort();
  const key = createHash('sha256').update(
    JSON.stringify([VERSION, needs.map((name) => [name, hashes[name]])]),
  );
  return await cachedFolder(roots, {
    purpose: COPIED_WEIGHTS,
    key: key.digest('hex'),
    needs,
    hashes,
    readers: await readersOf(files.map(({ path }) => path)),
    make: async (draft) => {
      await makeRoom(dirname(draft), await sizeOf(files.map(({ path }) => path)));
      for (const file of files) await copy(file, draft);
    },
  });
}

async function copy({ path, names: [first, ...others] }: WeightFile, folder: string): Promise<void> {
  if (first === undefined) return;
  await copyFile(path, join(folder, first), constants.COPYFILE_FICLONE);
  for (const name of others) await link(join(folder, first), join(folder, name));
}

/** Who may read all of these files, as bits of a mode. */
export async function readersOf(paths: readonly string[]): Promise<number> {
  const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode));
  return modes.reduce((readers, mode) => readers & mode, 0o444);
}

/** Bytes of all of them. */
export async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const CONTENT_FILE = 'content.json';
const contentSchema = z.strictObject({ sha256: z.string() });

/**
 * SHA-256 of a file. It is remembered for its identity, size and times, the one that nobody can set included: the weights are
 * then read once at a start, where they are checked, and not twice.
 */
async function contentOf(path: string, roots: readonly string[]): Promise<string> {
  const { device, text, settled } = await identityOf(path);
  if (!settled) return await fileHash(path);
  const folder = await cachedFolder(roots, {
    purpose: 'content',
    key: createHash('sha256').update([VERSION, device, text].join(':')).digest('hex'),
    needs: [CONTENT_FILE],
    make: async (draft) =>
      await writeFile(join(draft, CONTENT_FILE), JSON.stringify({ sha256: await fileHash(path) })),
  });
  return contentSchema.parse(JSON.parse(await readFile(join(folder, CONTENT_FILE), 'utf8'))).sha256;
}
