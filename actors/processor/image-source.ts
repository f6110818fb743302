/**
 * Encoded image bytes from wherever a caller says they are: bytes as they are, a data URL, a file, the web. Which
 * of these a request may use is decided by a policy: a server must not read files on behalf of its clients.
 */
import { types } from 'node:util';
import { isUrl } from '../../runtime/util/realms.ts';
import { InputError } from '../errors.ts';
import type { ImageSource } from '../generation.ts';
import { type ImagePolicy, type ImageSourceKind, TRUSTED_IMAGES } from '../image-policy.ts';
import { shownValue } from '../shown-value.ts';
import { decodeDataUrl } from './data-url.ts';
import type { ImageFetchOptions } from './image-fetch.ts';
import { readImageFile } from './image-file.ts';
import { tooManyBytes } from './image-limits.ts';

export interface ImageSourceOptions extends ImageFetchOptions {
  /** Most encoded bytes of one image. Default 20 MiB. */
  readonly maxBytes?: number;
}

/** What callers may hand in. */
export const IMAGE_INPUT_REMEDY =
  'Give bytes (Uint8Array, ArrayBuffer, Blob or File), a file path, or a URL with http, https, data or file.';

const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;

/**
 * @param field where the image sits in the request, for errors: `messages[0].content[1].image`
 * @throws InputError IMAGE_EMPTY, IMAGE_TOO_LARGE_BYTES, IMAGE_SOURCE_UNSUPPORTED, IMAGE_DATA_URL_INVALID,
 *   IMAGE_NOT_FOUND, IMAGE_UNREADABLE, IMAGE_FILE_REFUSED, IMAGE_URL_REFUSED, IMAGE_FETCH_FAILED; the signal's reason
 *   when it is aborted
 */
export async function loadImageBytes(
  source: ImageSource,
  field: string,
  options: ImageSourceOptions = {},
): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  const { maxBytes = DEFAULT_MAX_BYTES, policy = TRUSTED_IMAGES } = options;
  const kind = imageSourceKind(source, field);
  if (!policy.sources.includes(kind)) {
    throw new InputError('IMAGE_SOURCE_UNSUPPORTED', `${REFUSED_KINDS[kind]} is not accepted here`, {
      field,
      value: shownValue(source),
      remedy: `Give ${acceptedSources(policy)}.`,
    });
  }
  const bytes = await load(source, kind, field, maxBytes, { ...options, policy });
  if (bytes.length === 0) {
    const facts = { field, value: shownValue(source), remedy: 'Give the bytes of an encoded image.' };
    throw new InputError('IMAGE_EMPTY', 'the image has no bytes', facts);
  }
  if (bytes.length > maxBytes) throw tooManyBytes(field, bytes.length, maxBytes);
  return bytes;
}

const REFUSED_KINDS: Readonly<Record<ImageSourceKind, string>> = {
  bytes: 'an image as bytes',
  data: 'a data: URL',
  file: 'a file',
  http: 'a web address',
};

/** What the policy really lets through, scheme by scheme. */
function acceptedSources({ sources, plainHttp, folders }: ImagePolicy): string {
  const names: Readonly<Record<ImageSourceKind, string>> = {
    bytes: '', // what can carry bytes can carry a data: URL, and not the other way round
    data: 'a data: URL',
    file: folders === undefined ? 'a file' : 'a file of an allowed folder',
    http: plainHttp ? 'an https: or http: URL' : 'an https: URL',
  };
  return sources
    .map((kind) => names[kind])
    .filter((name) => name !== '')
    .join(', or ');
}

/** A name with a scheme of two letters or more is a URL, white space before it or not; one letter is a drive. */
const URL_LIKE = /^\s*([a-z][a-z0-9+.-]+):/i;

/** @throws InputError IMAGE_SOURCE_UNSUPPORTED */
export function imageSourceKind(source: unknown, field: string): ImageSourceKind {
  if (types.isUint8Array(source)) return 'bytes';
  if (typeof source === 'string' || isUrl(source)) {
    const scheme = URL_LIKE.exec(String(source))?.[1]?.toLowerCase();
    if (scheme === undefined || scheme === 'file') return 'file';
    if (scheme === 'data') return 'data';
    if (scheme === 'http' || scheme === 'https') return 'http';
  }
  throw new InputError('IMAGE_SOURCE_UNSUPPORTED', 'is no image source', {
    field,
    value: shownValue(source),
    remedy: IMAGE_INPUT_REMEDY,
  });
}

async function load(
  source: ImageSource,
  kind: ImageSourceKind,
  field: string,
  maxBytes: number,
  options: ImageSourceOptions,
): Promise<Uint8Array> {
  if (typeof source !== 'string' && !isUrl(source)) return source;
  const given = String(source);
  // A path may begin with a space; a URL that was pasted begins after it.
  const text = URL_LIKE.test(given) ? given.trim() : given;
  if (kind === 'data') return decodeDataUrl(text, field, maxBytes);
  if (kind === 'file') {
    return readImageFile(text, field, maxBytes, { signal: options.signal, folders: options.policy?.folders });
  }
  // The HTTP client takes longer to load than most images to prepare; many processes never need it.
  const { fetchImage } = await import('./image-fetch.ts');
  return fetchImage(text, field, maxBytes, options);
}
