/** Image bytes from a file, opened once: what was checked is what is read. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import { isMissing } from '../model/model-files.ts';
import { shownValue } from '../shown-value.ts';
import { tooManyBytes } from './image-limits.ts';

export interface ImageFileOptions {
  readonly signal?: AbortSignal | undefined;
  /** Folders that the file must lie in once symbolic links are resolved. Default: anywhere. */
  readonly folders?: readonly string[] | undefined;
}

/**
 * @param name a path or a file: URL
 * @throws InputError IMAGE_FILE_REFUSED, IMAGE_NOT_FOUND, IMAGE_UNREADABLE, IMAGE_TOO_LARGE_BYTES
 */
export async function readImageFile(
  name: string,
  field: string,
  maxBytes: number,
  { signal, folders }: ImageFileOptions,
): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    const path = /^file:/i.test(name) ? fileURLToPath(name) : name;
    const allowed = folders === undefined ? path : await withinFolders(path, folders, field, name);
    // Not blocking: opening a pipe would otherwise wait for its writer, and hold a thread of the pool.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    // A resolved path has no link left: one that is there now was put there since.
    file = await open(allowed, folders === undefined ? flags : flags | constants.O_NOFOLLOW);
    if (folders !== undefined && (await realpath(allowed)) !== allowed) throw refused(field, name);
    const stats = await file.stat();
    if (!stats.isFile()) throw unreadable(field, name, undefined);
    if (stats.size > maxBytes) throw tooManyBytes(field, stats.size, maxBytes);
    return await file.readFile({ signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof InputError) throw cause;
    if (!isMissing(cause)) throw unreadable(field, name, cause);
    const facts = { field, value: shownValue(name), remedy: 'Check the path.' };
    throw new InputError('IMAGE_NOT_FOUND', 'there is no such file', facts, cause);
  } finally {
    await file?.close();
  }
}

/** The path without links. What lies outside is refused before it is touched, so that nobody learns what is there. */
async function withinFolders(
  path: string,
  folders: readonly string[],
  field: string,
  name: string,
): Promise<string> {
  const wanted = resolve(path);
  for (const folder of folders) {
    if (!isWithin(wanted, resolve(folder))) continue;
    const real = await realpath(wanted);
    if (isWithin(real, await realpath(folder))) return real;
  }
  throw refused(field, name);
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function refused(field: string, name: string): InputError {
  const remedy = 'Send the image as a data: URL, or put it where files are allowed.';
  const facts = { field, value: shownValue(name), remedy };
  return new InputError('IMAGE_FILE_REFUSED', 'the file is not in a folder that images may come from', facts);
}

function unreadable(field: string, name: string, cause: unknown): InputError {
  const facts = { field, value: shownValue(name), remedy: 'Give a regular file that this process may read.' };
  return new InputError('IMAGE_UNREADABLE', 'the file cannot be read', facts, cause);
}
