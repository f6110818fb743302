/** Request bodies that come compressed, in one of the ways that HTTP knows, and are inflated piece by piece. */
import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type Gunzip,
  type Inflate,
  type ZstdDecompress,
} from 'node:zlib';
import { ApiError } from '../openai/api-error.ts';

export type Inflater = Gunzip | Inflate | BrotliDecompress | ZstdDecompress;

/** What comes out of one run in the thread pool: with Node's 16 KiB a large body is a thousand of them. */
const PIECE = { chunkSize: 256 * 1024 };

/** 8 MiB is the largest window there may be in HTTP (RFC 9659); a frame's head could otherwise ask for 128 MiB. */
const ZSTD = { ...PIECE, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const INFLATERS = {
  gzip: () => createGunzip(PIECE),
  'x-gzip': () => createGunzip(PIECE),
  deflate: () => createInflate(PIECE),
  br: () => createBrotliDecompress(PIECE),
  zstd: () => createZstdDecompress(ZSTD),
} as const;

export type Encoding = keyof typeof INFLATERS;

const TAKEN = 'gzip, deflate, br, zstd';

/**
 * @param header `Content-Encoding`
 * @returns undefined for a body that comes as it is
 * @throws ApiError 415 for an encoding that is not known, and for several of them
 */
export function encodingOf(header: string | undefined): Encoding | undefined {
  const name = header?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return undefined;
  if (Object.hasOwn(INFLATERS, name)) return name as Encoding; // it is one of its keys
  throw new ApiError(`The body may be encoded as: ${TAKEN}.`, {
    status: 415,
    type: 'invalid_request_error',
    code: 'unsupported_encoding',
    param: 'content-encoding',
  });
}

/** It runs in the thread pool; whoever reads it has turns of one piece each. */
export function createInflater(encoding: Encoding): Inflater {
  return INFLATERS[encoding]();
}

export function notInflatable(encoding: Encoding, cause: unknown): ApiError {
  const facts = { status: 400, type: 'invalid_request_error', code: 'invalid_encoding' } as const;
  return new ApiError(`The body is no valid ${encoding}.`, { ...facts, param: 'content-encoding' }, cause);
}
