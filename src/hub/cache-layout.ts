/**
 * Where the files of a model are in the Hub's cache, as Python's huggingface_hub has it:
 *
 *     <cache>/models--owner--name/
 *         refs/main                        the commit that the branch was
 *         blobs/<hash>                     each file once
 *         snapshots/<commit>/onnx/x.onnx   a link into blobs, or the file itself where there are no links
 *     <cache>/.locks/models--owner--name/
 */
import { copyFile, lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import type { HubSettings } from './hub-settings.ts';
import type { ModelName } from './model-name.ts';

const COMMIT = /^[0-9a-f]{40}$/;
const SEPARATOR = '--';
const PREFIX = `models${SEPARATOR}`;

/** The folder of one model. */
export class CachedRepository {
  readonly id: string;
  readonly folder: string;
  readonly blobs: string;
  readonly snapshots: string;
  readonly refs: string;
  /** Outside of the folder, so that it can be removed by who has the lock. */
  readonly lockPath: string;
  readonly #symlinks: boolean;

  constructor(id: string, { cacheFolder, symlinks }: Pick<HubSettings, 'cacheFolder' | 'symlinks'>) {
    const name = PREFIX + id.replaceAll('/', SEPARATOR);
    this.id = id;
    this.folder = join(cacheFolder, name);
    this.blobs = join(this.folder, 'blobs');
    this.snapshots = join(this.folder, 'snapshots');
    this.refs = join(this.folder, 'refs');
    this.lockPath = join(cacheFolder, '.locks', name, 'troupe.lock');
    this.#symlinks = symlinks;
  }

  /** The id of a folder's model; undefined for what is no folder of a model. */
  static idOf(folderName: string): string | undefined {
    return folderName.startsWith(PREFIX)
      ? folderName.slice(PREFIX.length).replaceAll(SEPARATOR, '/')
      : undefined;
  }

  /** The commit that a revision was when it was last asked for; undefined when it never was. */
  async commitOf({ revision }: ModelName): Promise<string | undefined> {
    if (COMMIT.test(revision)) return revision;
    const text = await readFile(join(this.refs, ...revision.split('/')), 'utf8').catch(() => '');
    return COMMIT.test(text.trim()) ? text.trim() : undefined;
  }

  snapshot(commit: string): string {
    return join(this.snapshots, commit);
  }

  blob(hash: string): string {
    return join(this.blobs, hash);
  }

  pointer(commit: string, path: string): string {
    return join(this.snapshot(commit), ...path.split('/'));
  }

  async rememberCommit({ revision }: ModelName, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = join(this.refs, ...revision.split('/'));
    await mkdir(dirname(path), { recursive: true });
    // Readers see the old commit or the new one.
    const draft = `${path}.${process.pid}.tmp`;
    await writeFile(draft, commit);
    await rename(draft, path);
  }

  /**
   * Puts a blob where the snapshot has the file.
   * @param isNew nobody else has it: where there are no links, it is moved and not copied
   */
  async link(hash: string, commit: string, path: string, isNew: boolean): Promise<void> {
    const pointer = this.pointer(commit, path);
    const blob = this.blob(hash);
    await mkdir(dirname(pointer), { recursive: true });
    // What is left of a link whose blob is gone.
    if (await exists(pointer, lstat)) await rm(pointer, { force: true });
    if (this.#symlinks && (await madeLink(relative(dirname(pointer), blob), pointer))) return;
    if (isNew) return await rename(blob, pointer);
    const draft = `${pointer}.${process.pid}.tmp`;
    await copyFile(blob, draft);
    await rename(draft, pointer);
  }
}

/** False where the system has no links, or allows none. */
async function madeLink(target: string, path: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if (['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(String(errorCodeOf(error)))) return false;
    throw error;
  }
}

/** Links are followed, unless `look` is `lstat`. */
export async function exists(path: string, look: typeof stat | typeof lstat = stat): Promise<boolean> {
  return await look(path).then(
    () => true,
    () => false,
  );
}
