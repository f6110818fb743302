/** Request bodies that come compressed, inflated as they come, and bounded by what is allowed of one that does not. */
import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ApiError } from '../openai/api-error.ts';

const INFLATERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const;

type Encoding = keyof typeof INFLATERS;

const TAKEN = 'gzip, deflate, br, zstd';

/** What comes out of one run in the thread pool: with Node's 16 KiB a large body is a thousand of them. */
const OPTIONS = { chunkSize: 256 * 1024 };

/** No byte of these becomes more (RFC 1951); the others have no such bound. */
const MOST_OF_DEFLATE = 1032;

/** @throws ApiError 415 for an encoding that is not known, and for several of them */
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

/** The most that so many bytes can become. */
export function mostInflated(encoding: Encoding, bytes: number): number {
  return encoding === 'br' || encoding === 'zstd' ? Number.POSITIVE_INFINITY : bytes * MOST_OF_DEFLATE;
}

export interface InflateOptions {
  readonly encoding: Encoding;
  /** Most bytes, before and after. */
  readonly limit: number;
  /** Called with the size that it had at the end. */
  readonly onEnd: (bytes: number) => void;
}

/** A body as the HTTP layer reads it: it compares its announced length with `receivedEncodedLength`. */
export type InflatedBody = Readable & { readonly receivedEncodedLength: number };

/** What is read of it fails with an ApiError: 413 beyond the limit, 400 when it cannot be inflated. */
export function inflatedBody(body: Readable, options: InflateOptions): InflatedBody {
  const counted = { bytes: 0 };
  const inflated = Readable.from(inflate(body, counted, options), { objectMode: false });
  return Object.defineProperty(
    Object.assign(inflated, { receivedEncodedLength: 0 }),
    'receivedEncodedLength',
    {
      get: () => counted.bytes,
    },
  );
}

async function* inflate(
  body: Readable,
  encoded: { bytes: number },
  { encoding, limit, onEnd }: InflateOptions,
): AsyncGenerator<Buffer> {
  const inflater = INFLATERS[encoding](OPTIONS);
  const fail = (error: Error) => inflater.destroy(error);
  const count = (chunk: Buffer) => {
    encoded.bytes += chunk.length;
    if (encoded.bytes > limit) fail(tooLarge()); // much that becomes little
  };
  body.on('data', count).on('error', fail).pipe(inflater);
  let bytes = 0;
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge();
      yield chunk;
    }
    onEnd(bytes);
  } catch (error) {
    throw error instanceof ApiError ? error : notInflatable(encoding, error);
  } finally {
    body.off('data', count).unpipe(inflater);
    inflater.destroy();
  }
}

function tooLarge(): ApiError {
  return new ApiError('The request is larger than this server takes, once it is inflated.', {
    status: 413,
    type: 'invalid_request_error',
    code: 'body_too_large',
  });
}

function notInflatable(encoding: Encoding, cause: unknown): ApiError {
  const facts = { status: 400, type: 'invalid_request_error', code: 'invalid_encoding' } as const;
  return new ApiError(`The body is no valid ${encoding}.`, { ...facts, param: 'content-encoding' }, cause);
}
