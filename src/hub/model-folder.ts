/**
 * From what a model is called to the folder that it is in. What the cache has is used as it is, without a word to the
 * Hub; `troupe pull` is what asks for something newer. What is not there, or not all of it, is pulled.
 */
import { stat, utimes } from 'node:fs/promises';
import type { Dtype } from '../../actors/model/graph-files.ts';
import { TroupeError } from '../../runtime/errors.ts';
import type { StartProgress } from '../start-options.ts';
import { CachedRepository, exists } from './cache-layout.ts';
import { type DownloadProgress, progressLine } from './download-progress.ts';
import { offline } from './hub-errors.ts';
import { type HubSettings, hubSettings } from './hub-settings.ts';
import { hubNameIn, type ModelName, nameOf } from './model-name.ts';
import { pullNamed } from './pull-model.ts';

export interface FolderOptions {
  readonly dtype: Dtype | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: StartProgress) => void) | undefined;
}

/** What opening a folder fails with when files of the model were never fetched. */
const NOT_ALL_THERE: ReadonlySet<string> = new Set(['MODEL_FILE_MISSING', 'MODEL_DTYPE_MISSING']);

/**
 * Opens a model that is given as a folder or by its name.
 *
 * @param open given the folder; called again after a pull when the first time found files missing
 * @param instead what is done where it would be pulled, in place of that
 * @throws what `open` throws; as `pullModel`
 */
export async function openModelFolder<T>(
  model: string,
  options: FolderOptions,
  open: (folder: string) => Promise<T>,
  instead?: (name: ModelName, settings: HubSettings) => Promise<T>,
): Promise<T> {
  const name = await hubNameIn(model);
  if (name === undefined) return await open(model);
  const settings = await hubSettings();
  const cache = new CachedRepository(name.id, settings);
  const commit = await cache.commitOf(name);
  const isCached = commit !== undefined && (await exists(cache.pointer(commit, 'config.json')));
  if (isCached) {
    const opened = await openedWhole(cache.snapshot(commit), open);
    if (opened.isWhole) {
      await markUsed(cache.pointer(commit, 'config.json'));
      return opened.value;
    }
    if (settings.offline) throw offlineWith(opened.error, nameOf(name));
  }
  if (settings.offline) throw offline(nameOf(name), 'the cache does not have it');
  if (instead !== undefined) return await instead(name, settings);
  const { dtype, signal, onProgress } = options;
  const tell = (message: string, download?: DownloadProgress) =>
    onProgress?.({ phase: 'downloading', message: `${model}: ${message}`, ...(download && { download }) });
  const { path } = await pullNamed(name, settings, {
    ...(dtype && { dtype }),
    ...(signal && { signal }),
    onProgress: (download) => tell(progressLine(download), download),
    onWait: () => tell('another process is fetching it'),
  });
  return await open(path);
}

type Opened<T> =
  | { readonly isWhole: true; readonly value: T }
  | { readonly isWhole: false; readonly error: TroupeError };

async function openedWhole<T>(folder: string, open: (folder: string) => Promise<T>): Promise<Opened<T>> {
  try {
    return { isWhole: true, value: await open(folder) };
  } catch (error) {
    if (TroupeError.is(error) && NOT_ALL_THERE.has(error.code)) return { isWhole: false, error };
    throw error;
  }
}

/** Which precisions are there is worth more to know than that there may be others. */
function offlineWith(error: TroupeError, name: string): TroupeError {
  if (error.code === 'MODEL_DTYPE_MISSING') return error;
  return offline(name, 'the cache does not have all of its files');
}

/**
 * The time of the last access is what huggingface_hub shows as that of the last use; most systems do not keep it by
 * themselves. No engine watches this file.
 */
async function markUsed(path: string): Promise<void> {
  const { mtime } = await stat(path);
  await utimes(path, new Date(), mtime).catch(() => undefined); // a cache that may only be read
}
