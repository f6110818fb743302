/** `listModels`: what the Hub's cache has that can be served, told from names and sizes alone. */
import { readdir, readFile, realpath, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { SUPPORTED_MODEL_TYPES } from '../../actors/families/registry.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import { isPlainObject } from '../../runtime/util/realms.ts';
import type { Mode } from '../chat-types.ts';
import { CachedRepository } from './cache-layout.ts';
import { type HubSettings, hubSettings } from './hub-settings.ts';
import { DEFAULT_REVISION, nameOf } from './model-name.ts';
import { isPartial } from './partial-file.ts';
import { GRAPH_FOLDER, wholeDtypes } from './wanted-files.ts';

/** A model in the cache. */
export interface CachedModel {
  /** How to ask for it: `owner/name`, or `owner/name@revision`. */
  readonly name: string;
  /** The commit that it is; undefined when nothing of it is whole. */
  readonly commit?: string;
  /** The model directory; undefined likewise. */
  readonly path?: string;
  /** Of its files, and of what was begun. */
  readonly bytes: number;
  /** Precisions of which all graphs are there. Empty: its download was not ended. */
  readonly dtypes: readonly Dtype[];
  /** `model_type` of its config.json. */
  readonly modelType?: string;
  /** Whether there is a family that serves it. */
  readonly supported: boolean;
  /** The modes that can run it. */
  readonly modes: readonly Mode[];
  /** When it was last used, or read by anybody. */
  readonly lastUsed?: Date;
}

/**
 * The models in the Hub's cache that have ONNX graphs, whoever fetched them; those of other formats are left out.
 *
 * @throws InputError `INVALID_OPTION` about a variable of the environment
 */
export async function listModels(): Promise<readonly CachedModel[]> {
  return await modelsIn(await hubSettings());
}

export async function modelsIn(settings: HubSettings): Promise<readonly CachedModel[]> {
  const folders = await readdir(settings.cacheFolder).catch(() => []);
  const ids = folders.map((name) => CachedRepository.idOf(name)).filter((id) => id !== undefined);
  const models = await Promise.all(
    ids.sort().map(async (id) => await modelsOf(new CachedRepository(id, settings))),
  );
  return models.flat();
}

async function modelsOf(cache: CachedRepository): Promise<readonly CachedModel[]> {
  const revisions = await revisionsOf(cache);
  const commits = await readdir(cache.snapshots).catch(() => []);
  const models: CachedModel[] = [];
  for (const commit of commits) {
    const revision = revisions.get(commit)?.[0] ?? commit;
    const model = await modelAt(cache, commit, nameOf({ id: cache.id, revision }));
    if (model !== undefined) models.push(model);
  }
  if (models.length > 0) return models;
  const begun = await begunBytes(cache);
  if (begun === 0) return [];
  return [{ name: cache.id, bytes: begun, dtypes: [], supported: false, modes: [] }];
}

async function modelAt(
  cache: CachedRepository,
  commit: string,
  name: string,
): Promise<CachedModel | undefined> {
  const path = cache.snapshot(commit);
  const graphs = new Set(await readdir(join(path, GRAPH_FOLDER)).catch(() => []));
  const { dtypes, roles } = wholeDtypes(graphs);
  if (roles.length === 0) return undefined;
  const { bytes, lastUsedMs } = await sizeAndUse(path);
  const config = await readUnnoticed(join(path, 'config.json'));
  const modelType =
    isPlainObject(config) && typeof config.model_type === 'string' ? config.model_type : undefined;
  return {
    ...{ name, commit, path, bytes, dtypes },
    ...(modelType !== undefined && { modelType }),
    supported: modelType !== undefined && SUPPORTED_MODEL_TYPES.includes(modelType),
    // Without a graph of its own for images, the decoder's encodes them.
    modes: roles.includes('vision') ? ['aggregated', 'disaggregated'] : ['aggregated'],
    lastUsed: new Date(lastUsedMs),
  };
}

/** JSON, or undefined. That it was looked at is no use of the model: its time of access stays. */
async function readUnnoticed(path: string): Promise<unknown> {
  try {
    const { atime, mtime } = await stat(path);
    const text = await readFile(path, 'utf8');
    await utimes(path, atime, mtime).catch(() => undefined); // a cache that may only be read
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Branches and tags by the commit they were; `main` first. */
async function revisionsOf(cache: CachedRepository): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = await readdir(cache.refs, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = new Map<string, string[]>();
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.tmp')) continue;
    const file = join(entry.parentPath, entry.name);
    const commit = (await readFile(file, 'utf8').catch(() => '')).trim();
    const revision = file.slice(cache.refs.length + 1).replaceAll('\\', '/');
    const others = found.get(commit) ?? [];
    found.set(commit, revision === DEFAULT_REVISION ? [revision, ...others] : [...others, revision]);
  }
  return found;
}

/** Each file once, however many names it has. */
async function sizeAndUse(folder: string): Promise<{ bytes: number; lastUsedMs: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, { size: number; atimeMs: number }>();
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    try {
      const path = await realpath(join(entry.parentPath, entry.name));
      files.set(path, await stat(path));
    } catch {
      // A link whose file is gone.
    }
  }
  const all = [...files.values()];
  return {
    bytes: all.reduce((sum, { size }) => sum + size, 0),
    lastUsedMs: all.reduce((latest, { atimeMs }) => Math.max(latest, atimeMs), 0),
  };
}

async function begunBytes(cache: CachedRepository): Promise<number> {
  const names = await readdir(cache.blobs).catch(() => []);
  if (!names.some(isPartial)) return 0;
  return (await sizeAndUse(cache.blobs)).bytes;
}
