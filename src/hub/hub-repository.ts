/** What the Hub knows of a model: which commit a revision is, and the files of a commit with their hashes. */
import type { ListFileEntry } from '@huggingface/hub';
import { TroupeError } from '../../runtime/errors.ts';
import { gatedModel, hubAnswer, hubFailed, noSuchModel, noSuchRevision, tokenRefused } from './hub-errors.ts';
import type { HubHttp, Refusal } from './hub-http.ts';
import type { HubSettings } from './hub-settings.ts';
import type { ModelName } from './model-name.ts';

/** A file of a commit. */
export interface HubFile {
  /** In the repository, with slashes: `onnx/embed_tokens_q4.onnx`. */
  readonly path: string;
  readonly size: number;
  /** What it is stored under: SHA-256 of a large file, git's SHA-1 of a small one. Hex. */
  readonly hash: string;
}

export interface HubCommit {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/** More files than any model has, fewer than memory. */
const MOST_FILES = 100_000;

const COMMIT = /^[0-9a-f]{40}$/;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** Neither absolute nor upward, on any system: what it names is made below the snapshot. */
const PATH_PART = /^(?!\.{1,2}$)[^\\:\p{Cc}]+$/u;

export class HubRepository {
  readonly #name: ModelName;
  readonly #settings: HubSettings;
  readonly #http: HubHttp;

  constructor(name: ModelName, settings: HubSettings, http: HubHttp) {
    this.#name = name;
    this.#settings = settings;
    this.#http = http;
  }

  /** @throws ModelError `MODEL_NOT_ON_HUB`, `MODEL_REVISION_NOT_FOUND`, `MODEL_GATED`, `HUB_TOKEN_REFUSED`; TroupeError */
  async read(): Promise<HubCommit> {
    const { modelInfo, listFiles } = await import('@huggingface/hub');
    const { id, revision } = this.#name;
    const { endpoint } = this.#settings;
    const asked = { hubUrl: endpoint, fetch: this.#http.fetch((answer) => this.refusal(answer)) };
    return await this.#inWords(async () => {
      const { sha: commit } = await modelInfo({ ...asked, name: id, revision, additionalFields: ['sha'] });
      if (typeof commit !== 'string' || !COMMIT.test(commit)) throw hubAnswer('no commit', endpoint);
      const files: HubFile[] = [];
      for await (const entry of listFiles({ ...asked, repo: id, revision: commit, recursive: true })) {
        if (entry.type === 'file') files.push(this.#fileOf(entry));
        if (files.length > MOST_FILES) throw hubAnswer('files without end', endpoint);
      }
      return { commit, files };
    });
  }

  /** Where a file of a commit is fetched from. */
  addressOf(commit: string, path: string): string {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    return `${this.#settings.endpoint}/${this.#name.id}/resolve/${commit}/${encoded}`;
  }

  /** What an answer that gives no file means. */
  refusal({ status, url, code, said }: Refusal): TroupeError {
    const { id, revision } = this.#name;
    const { endpoint, token } = this.#settings;
    if (code === 'GatedRepo') return gatedModel(id, endpoint, token !== undefined);
    if (code === 'RevisionNotFound') return noSuchRevision(id, revision);
    if (status === 401 && /invalid credentials/i.test(said ?? '')) return tokenRefused(endpoint);
    // The Hub tells strangers of a private model what it tells them of none: 401.
    if (code === 'RepoNotFound' || status === 401 || status === 404) return noSuchModel(id, endpoint);
    return hubFailed(status, url, said);
  }

  #fileOf({ path, size, oid, lfs }: ListFileEntry): HubFile {
    const file = { path, size: lfs?.size ?? size, hash: lfs?.oid ?? oid };
    const { hash } = file;
    if (typeof path !== 'string' || !path.split('/').every((part) => PATH_PART.test(part))) {
      throw hubAnswer(`a file with the name ${JSON.stringify(path)?.slice(0, 80)}`, this.#settings.endpoint);
    }
    if (hash === undefined || !HASH.test(hash) || !Number.isSafeInteger(file.size) || file.size < 0) {
      throw hubAnswer(`no hash or no size of ${path}`, this.#settings.endpoint);
    }
    return { ...file, hash };
  }

  async #inWords<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (TroupeError.is(error) || this.#http.aborted) throw error;
      // A body that is no JSON, as of a portal that wants somebody to log in first.
      throw hubAnswer('it cannot be read', this.#settings.endpoint, error);
    }
  }
}
