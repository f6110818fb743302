/**
 * Encoded image bytes from wherever a caller says they are: bytes as they are, a data URL, a file, the web. Which
 * of these a request may use is the caller's choice: a server must not read files on behalf of its clients.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import type { ImageSource } from '../generation.ts';
import { isMissing } from '../model/model-files.ts';
import { decodeDataUrl } from './data-url.ts';
import type { ImageFetchOptions } from './image-fetch.ts';
import { tooManyBytes } from './image-limits.ts';
import { shownValue } from './shown-value.ts';

export type ImageSourceKind = 'bytes' | 'data' | 'file' | 'http';

export interface ImageSourceOptions extends ImageFetchOptions {
  /** Most encoded bytes of one image. Default 20 MiB. */
  readonly maxBytes?: number;
  /** Kinds of source that are accepted. Default all. */
  readonly allow?: readonly ImageSourceKind[];
}

const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;
const ALL_KINDS: readonly ImageSourceKind[] = ['bytes', 'data', 'file', 'http'];

/**
 * @param field where the image sits in the request, for errors: `messages[0].content[1].image`
 * @throws InputError IMAGE_EMPTY, IMAGE_TOO_LARGE_BYTES, IMAGE_SOURCE_UNSUPPORTED, IMAGE_DATA_URL_INVALID,
 *   IMAGE_NOT_FOUND, IMAGE_UNREADABLE, IMAGE_FETCH_FAILED; the signal's reason when it is aborted
 */
export async function loadImageBytes(
  source: ImageSource,
  field: string,
  options: ImageSourceOptions = {},
): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  const { maxBytes = DEFAULT_MAX_BYTES, allow = ALL_KINDS } = options;
  const kind = sourceKind(source, field);
  if (!allow.includes(kind)) {
    const remedy = `Here an image may come from: ${allow.join(', ')}.`;
    throw new InputError('IMAGE_SOURCE_UNSUPPORTED', `images from ${kind} are not accepted`, {
      field,
      value: shownValue(source),
      remedy,
    });
  }
  const bytes = await load(source, kind, field, maxBytes, options);
  if (bytes.length === 0) {
    const facts = { field, value: shownValue(source), remedy: 'Give the bytes of an encoded image.' };
    throw new InputError('IMAGE_EMPTY', 'the image has no bytes', facts);
  }
  if (bytes.length > maxBytes) throw tooManyBytes(field, bytes.length, maxBytes);
  return bytes;
}

/** A name with a scheme of two letters or more is a URL; one letter is a drive. */
const URL_LIKE = /^([a-z][a-z0-9+.-]+):/i;

function sourceKind(source: unknown, field: string): ImageSourceKind {
  if (source instanceof Uint8Array) return 'bytes';
  if (typeof source === 'string' || source instanceof URL) {
    const scheme = URL_LIKE.exec(String(source))?.[1]?.toLowerCase();
    if (scheme === undefined || scheme === 'file') return 'file';
    if (scheme === 'data') return 'data';
    if (scheme === 'http' || scheme === 'https') return 'http';
  }
  throw new InputError('IMAGE_SOURCE_UNSUPPORTED', 'is no image source', {
    field,
    value: shownValue(source),
    remedy: 'Give bytes (Uint8Array), a file path, or a URL with http, https, data or file.',
  });
}

async function load(
  source: ImageSource,
  kind: ImageSourceKind,
  field: string,
  maxBytes: number,
  options: ImageSourceOptions,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const text = String(source);
  if (kind === 'data') return decodeDataUrl(text, field, maxBytes);
  if (kind === 'file') return readImageFile(text, field, maxBytes, options.signal);
  // The HTTP client takes longer to load than most images to prepare; many processes never need it.
  const { fetchImage } = await import('./image-fetch.ts');
  return fetchImage(text, field, maxBytes, options);
}

/** Opened once, then sized and read through the same handle: what was checked is what is read. */
async function readImageFile(
  path: string,
  field: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Not blocking: opening a pipe would otherwise wait for its writer, and hold a thread of the pool.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    file = await open(URL_LIKE.test(path) ? fileURLToPath(path) : path, flags);
    const stats = await file.stat();
    if (!stats.isFile()) throw unreadable(field, path, undefined);
    if (stats.size > maxBytes) throw tooManyBytes(field, stats.size, maxBytes);
    return await file.readFile({ signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof InputError) throw cause;
    if (!isMissing(cause)) throw unreadable(field, path, cause);
    const facts = { field, value: shownValue(path), remedy: 'Check the path.' };
    throw new InputError('IMAGE_NOT_FOUND', 'there is no such file', facts, cause);
  } finally {
    await file?.close();
  }
}

function unreadable(field: string, path: string, cause: unknown): InputError {
  const facts = { field, value: shownValue(path), remedy: 'Give a regular file that this process may read.' };
  return new InputError('IMAGE_UNREADABLE', 'the file cannot be read', facts, cause);
}
