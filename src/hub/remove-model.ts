/** `removeModel`: takes a model out of the cache, or one revision of it. */
import { readdir, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertText } from '../caller-input.ts';
import { CachedRepository, exists } from './cache-layout.ts';
import { withFileLock } from './file-lock.ts';
import { cacheError, notCached } from './hub-errors.ts';
import { hubSettings } from './hub-settings.ts';
import { type ModelName, nameOf, parseModelName } from './model-name.ts';

/** What was removed. */
export interface RemovedModel {
  /** As it was asked for. */
  readonly name: string;
  /** Folder that is gone. */
  readonly path: string;
}

/**
 * Removes a model from the Hub's cache: with a revision that revision alone, else all of it, what Python fetched included.
 * An engine that has it open goes on.
 *
 * @param model `owner/name`, or `owner/name@revision`
 * @throws InputError `MODEL_NAME_INVALID`; ModelError `MODEL_NOT_CACHED`; TroupeError `CACHE_NOT_WRITABLE`
 */
export async function removeModel(model: string): Promise<RemovedModel> {
  assertText(model, 'model', 'Give owner/name');
  const name = parseModelName(model);
  const settings = await hubSettings();
  const cache = new CachedRepository(name.id, settings);
  if (!(await exists(cache.folder))) throw notCached(model);
  try {
    return await withFileLock(cache.lockPath, {}, async () => {
      if (model.includes('@')) return { name: nameOf(name), path: await removeRevision(cache, name) };
      await rm(cache.folder, { recursive: true, force: true });
      return { name: nameOf(name), path: cache.folder };
    });
  } catch (error) {
    throw cacheError(settings.cacheFolder, error);
  }
}

async function removeRevision(cache: CachedRepository, name: ModelName): Promise<string> {
  const commit = await cache.commitOf(name);
  const path = commit === undefined ? undefined : cache.snapshot(commit);
  if (path === undefined || !(await exists(path))) throw notCached(nameOf(name));
  const own = await blobsOf(path);
  await rm(path, { recursive: true, force: true });
  await rm(join(cache.refs, ...name.revision.split('/')), { force: true });
  const others = new Set<string>();
  for (const other of await readdir(cache.snapshots).catch(() => [])) {
    for (const blob of await blobsOf(join(cache.snapshots, other))) others.add(blob);
  }
  if (others.size === 0) await rm(cache.folder, { recursive: true, force: true });
  for (const blob of own) if (!others.has(blob)) await rm(cache.blob(blob), { force: true });
  return path;
}

/** The names of the blobs that a snapshot links to. */
async function blobsOf(snapshot: string): Promise<readonly string[]> {
  const entries = await readdir(snapshot, { recursive: true, withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink());
  const blobs = links.map(async ({ parentPath, name }) =>
    realpath(join(parentPath, name)).then(basename, () => undefined),
  );
  return (await Promise.all(blobs)).filter((blob) => blob !== undefined);
}
