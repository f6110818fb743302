/** Fetches the wanted files of a commit into the cache: what is there is taken, what is not comes, is checked, and is linked. */
import { mkdir, readFile, statfs } from 'node:fs/promises';
import { findFamily } from '../../actors/families/registry.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import { isPlainObject } from '../../runtime/util/realms.ts';
import { GraphPool } from '../inspect/graph-pool.ts';
import { downloadBlob } from './blob-download.ts';
import { type CachedRepository, exists } from './cache-layout.ts';
import type { ProgressMeter } from './download-progress.ts';
import type { HashPool } from './hash-pool.ts';
import { diskFull, hashWrong } from './hub-errors.ts';
import type { HubHttp } from './hub-http.ts';
import type { HubFile, HubRepository } from './hub-repository.ts';
import { PartialFile } from './partial-file.ts';
import { Turns } from './turns.ts';
import { GRAPH_FOLDER, type WantedFiles, wantedFiles } from './wanted-files.ts';

export interface SnapshotSource {
  readonly repository: HubRepository;
  readonly cache: CachedRepository;
  readonly http: HubHttp;
  readonly hashes: HashPool;
  readonly commit: string;
  readonly files: readonly HubFile[];
  readonly signal: AbortSignal | undefined;
}

/** Connections at once. Python's huggingface_hub has as many. */
const CONNECTIONS = 8;

/** A file with a wrong hash is fetched once more: what was resumed may have been another's. */
const TRIES = 2;

export class SnapshotDownload {
  readonly #source: SnapshotSource;
  readonly #turns = new Turns(CONNECTIONS);
  /** By this download: nobody else has them yet. */
  readonly #fresh = new Set<string>();
  #fetchedFiles = 0;

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  /** How many files were not there. */
  get fetchedFiles(): number {
    return this.#fetchedFiles;
  }

  /**
   * @param meter makes the one that is told of every byte, once the size of all is known
   * @throws ModelError `MODEL_UNSUPPORTED`, `MODEL_HAS_NO_ONNX`, `MODEL_DTYPE_MISSING`; TroupeError `DISK_FULL`,
   *   `DOWNLOAD_HASH_WRONG` and what the network has
   */
  async run(dtype: Dtype | undefined, meter: (totalBytes: number) => ProgressMeter): Promise<void> {
    const { cache, files } = this.#source;
    const wanted = wantedFiles(files, cache.id, dtype);
    const all = [...wanted.configuration, ...wanted.graphs, ...wanted.data];
    await mkdir(cache.blobs, { recursive: true });
    await this.#assertRoom(all);
    const progress = meter(all.reduce((sum, { size }) => sum + size, 0));
    await this.#fetchAll(wanted.configuration, progress);
    await this.#linkAll(wanted.configuration);
    await this.#assertServable();
    await this.#fetchAll([...wanted.graphs, ...wanted.data], progress);
    const further = await this.#furtherData(wanted);
    await this.#assertRoom(further);
    progress.expect(further.reduce((sum, { size }) => sum + size, 0));
    await this.#fetchAll(further, progress);
    // Only now: whoever finds a graph finds all of it.
    await this.#linkAll([...wanted.data, ...further, ...wanted.graphs]);
    progress.done();
  }

  /** Not after some gigabytes of a model that nothing here can run. */
  async #assertServable(): Promise<void> {
    const { cache, commit } = this.#source;
    const text = await readFile(cache.pointer(commit, 'config.json'), 'utf8').catch(() => '');
    const config: unknown = parsed(text);
    const type = isPlainObject(config) ? config.model_type : undefined;
    // What else is wrong with it is said when it is opened.
    if (typeof type === 'string') findFamily(type, cache.id);
  }

  /** What graphs name as their weights, under a name that has nothing to do with theirs. */
  async #furtherData({ graphs, data, others }: WantedFiles): Promise<readonly HubFile[]> {
    if (others.length === 0) return [];
    const pool = await GraphPool.open();
    try {
      const signatures = await Promise.all(
        graphs.map(async (graph) => await pool.run('readSignature', await this.#pathOf(graph))),
      );
      const named = signatures.flatMap(({ externalData }) => externalData.map(({ location }) => location));
      const known = new Set(data.map(({ path }) => path));
      return others.filter(
        ({ path }) => !known.has(path) && named.includes(path.slice(GRAPH_FOLDER.length + 1)),
      );
    } finally {
      await pool.close();
    }
  }

  async #fetchAll(files: readonly HubFile[], progress: ProgressMeter): Promise<void> {
    const failed = new AbortController();
    // The same file under two names comes once.
    const distinct = [...new Map(files.map((file) => [file.hash, file])).values()];
    const outcomes = await Promise.allSettled(
      distinct.map(async (file) => {
        try {
          await this.#fetch(file, progress, failed.signal);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    );
    for (const file of files) if (!distinct.includes(file)) progress.found(file.size);
    if (outcomes.some(({ status }) => status === 'rejected')) throw failed.signal.reason;
  }

  async #fetch(file: HubFile, progress: ProgressMeter, failed: AbortSignal): Promise<void> {
    const { http, repository, cache, commit, signal } = this.#source;
    if (await this.#isThere(file)) {
      progress.found(file.size);
      return;
    }
    this.#fetchedFiles += 1;
    for (let attempt = 1; ; attempt++) {
      const partial = await downloadBlob({
        ...{ http, turns: this.#turns, size: file.size, target: cache.blob(file.hash) },
        address: repository.addressOf(commit, file.path),
        signal: signal === undefined ? failed : AbortSignal.any([signal, failed]),
        refusal: (answer) => repository.refusal(answer),
        onFound: (bytes) => progress.found(bytes),
        onBytes: (bytes) => progress.came(bytes),
      });
      const path = await partial.join();
      const algorithm = file.hash.length === 64 ? 'sha256' : 'git-sha1';
      const found = await this.#source.hashes.hash({ path, size: file.size, algorithm });
      if (found === file.hash) {
        await partial.complete();
        this.#fresh.add(file.hash);
        return;
      }
      await partial.discard();
      progress.found(-file.size);
      if (attempt >= TRIES) throw hashWrong(file.path, file.hash, found);
    }
  }

  async #linkAll(files: readonly HubFile[]): Promise<void> {
    const { cache, commit } = this.#source;
    for (const { hash, path } of files) {
      if (await exists(cache.pointer(commit, path))) continue;
      await cache.link(hash, commit, path, this.#fresh.has(hash) && isOnlyOne(files, hash));
    }
  }

  async #isThere({ hash, path }: HubFile): Promise<boolean> {
    const { cache, commit } = this.#source;
    return (await exists(cache.blob(hash))) || (await exists(cache.pointer(commit, path)));
  }

  async #pathOf({ hash, path }: HubFile): Promise<string> {
    const { cache, commit } = this.#source;
    return (await exists(cache.blob(hash))) ? cache.blob(hash) : cache.pointer(commit, path);
  }

  /** @throws TroupeError `DISK_FULL` */
  async #assertRoom(files: readonly HubFile[]): Promise<void> {
    const { cache } = this.#source;
    let needed = 0;
    for (const file of files) {
      if (await this.#isThere(file)) continue;
      const partial = await PartialFile.open(cache.blob(file.hash), file.size);
      needed += file.size - (await partial.present());
    }
    const { bavail, bsize } = await statfs(cache.blobs);
    const free = bavail * bsize;
    if (needed > free) throw diskFull(cache.blobs, needed, free);
  }
}

function isOnlyOne(files: readonly HubFile[], hash: string): boolean {
  return files.filter((file) => file.hash === hash).length === 1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
