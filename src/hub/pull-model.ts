/** `pullModel`: brings a model's files from the Hub into its cache, or what is newer of them. */
import { InputError } from '../../actors/errors.ts';
import { DTYPES, type Dtype } from '../../actors/model/graph-files.ts';
import { throwIfAborted } from '../../runtime/util/aborted.ts';
import { assertFunction, assertOptions, assertSignal, assertText } from '../caller-input.ts';
import { CachedRepository } from './cache-layout.ts';
import { type DownloadProgress, ProgressMeter } from './download-progress.ts';
import { withFileLock } from './file-lock.ts';
import { HashPool } from './hash-pool.ts';
import { cacheError, offline } from './hub-errors.ts';
import { HubHttp } from './hub-http.ts';
import { HubRepository } from './hub-repository.ts';
import { type HubSettings, hubSettings } from './hub-settings.ts';
import { type ModelName, nameOf, parseModelName } from './model-name.ts';
import { SnapshotDownload } from './snapshot-download.ts';

/** How a model is pulled. */
export interface PullOptions {
  /** Precision of the graphs to fetch. Default: the best there is. */
  readonly dtype?: Dtype;
  /** Called on the caller's thread, some times a second. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Called once, when another process is pulling the same model. */
  readonly onWait?: () => void;
  /** Gives up; what has come stays, and is gone on with the next time. */
  readonly signal?: AbortSignal;
}

/** A model that is in the cache. */
export interface PulledModel {
  /** `owner/name` */
  readonly id: string;
  /** Branch, tag or commit that was asked for. */
  readonly revision: string;
  /** The commit that it is. */
  readonly commit: string;
  /** The model directory. */
  readonly path: string;
  /** Files that were not there before. */
  readonly fetchedFiles: number;
}

/**
 * Brings a model from the Hub into its cache, which it shares with Python's huggingface_hub. Only what serving needs is
 * fetched: configuration, tokenizer, and the graphs of one precision. What was begun before is gone on with.
 *
 * @param model `owner/name`, or `owner/name@revision`
 * @example
 * ```ts
 * import { pullModel, Troupe } from 'troupe';
 *
 * const { path } = await pullModel('HuggingFaceTB/SmolVLM-256M-Instruct', {
 *   dtype: 'q4',
 *   onProgress: ({ receivedBytes, totalBytes }) => console.log(receivedBytes / totalBytes),
 * });
 * await using troupe = await Troupe.start({ model: path, dtype: 'q4' });
 * console.log(troupe.contextLength);
 * ```
 * @throws InputError `MODEL_NAME_INVALID`; ModelError `MODEL_NOT_ON_HUB`, `MODEL_GATED`, `MODEL_HAS_NO_ONNX`,
 *   `MODEL_DTYPE_MISSING`…; TroupeError `HUB_UNREACHABLE`, `HUB_OFFLINE`, `DOWNLOAD_HASH_WRONG`, `DISK_FULL`…
 */
export async function pullModel(model: string, options: PullOptions = {}): Promise<PulledModel> {
  assertText(model, 'model', 'Give owner/name');
  assertOptions(options, 'Give an object with options of pullModel, or nothing');
  const { dtype, onProgress, onWait, signal } = options;
  assertFunction(onProgress, 'onProgress');
  assertFunction(onWait, 'onWait');
  assertSignal(signal);
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    const facts = { field: 'dtype', value: String(dtype), remedy: `Give one of: ${DTYPES.join(', ')}` };
    throw new InputError('INVALID_OPTION', 'is no precision', facts);
  }
  return await pullNamed(parseModelName(model), await hubSettings(), options);
}

/** @throws as `pullModel` */
export async function pullNamed(
  name: ModelName,
  settings: HubSettings,
  { dtype, onProgress, onWait, signal }: PullOptions,
): Promise<PulledModel> {
  throwIfAborted(signal);
  if (settings.offline) throw offline(nameOf(name), 'it is to be pulled');
  const cache = new CachedRepository(name.id, settings);
  const http = await HubHttp.open(settings, signal);
  const hashes = await HashPool.open();
  try {
    return await withFileLock(cache.lockPath, { signal, ...(onWait && { onWait }) }, async () => {
      const repository = new HubRepository(name, settings, http);
      const { commit, files } = await repository.read();
      const download = new SnapshotDownload({ repository, cache, http, hashes, commit, files, signal });
      await download.run(dtype, (total) => new ProgressMeter(total, (told) => onProgress?.(told)));
      await cache.rememberCommit(name, commit);
      const { id, revision } = name;
      return { id, revision, commit, path: cache.snapshot(commit), fetchedFiles: download.fetchedFiles };
    });
  } catch (error) {
    throwIfAborted(signal);
    throw cacheError(settings.cacheFolder, error);
  } finally {
    await Promise.all([http.close(), hashes.close()]);
  }
}
