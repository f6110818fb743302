/**
 * Image bytes over HTTP, within limits: a slow, endless or redirecting server costs a bounded time and memory, a URL
 * that may not be fetched is refused at every redirect anew, and every failure says what went wrong in one line.
 */
import { type Dispatcher, request } from 'undici';
import { errorCodeOf, isErrorNamed } from '../../runtime/util/realms.ts';
import { InputError } from '../errors.ts';
import { type ImagePolicy, TRUSTED_IMAGES } from '../image-policy.ts';
import { shownValue } from '../shown-value.ts';
import { contentEncodings, decodeContent, UnknownEncodingError } from './content-encoding.ts';
import { agentFor } from './fetch-agent.ts';
import { FetchClock } from './fetch-clock.ts';
import { AddressRefusedError } from './guarded-connector.ts';
import { tooManyBytes } from './image-limits.ts';
import { urlRefusal } from './image-url-guard.ts';

export interface ImageFetchOptions {
  readonly signal?: AbortSignal;
  /** Default `TRUSTED_IMAGES`. */
  readonly policy?: ImagePolicy;
  /** Most redirects that are followed. Default 5. */
  readonly maxRedirects?: number;
  /** Connections to use. Default: shared ones, by the policy. */
  readonly dispatcher?: Dispatcher;
  /**
   * Called once the host has answered, before the body is read, with the size where it is known. The fetch waits for it,
   * and its time limit with it. Resolves to the most bytes that the image may have.
   */
  readonly admit?: (announced: number | undefined) => Promise<number>;
}

const DEFAULT_MAX_REDIRECTS = 5;
/** Of a body that does not say how long it is. */
const FIRST_BYTES = 256 * 1024;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

/**
 * @returns bytes in memory of their own
 * @throws InputError IMAGE_URL_REFUSED, IMAGE_FETCH_FAILED, IMAGE_TOO_LARGE_BYTES; the caller's reason when its signal
 *   is aborted; what `admit` throws
 */
export async function fetchImage(
  url: string,
  field: string,
  maxBytes: number,
  options: ImageFetchOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const policy = options.policy ?? TRUSTED_IMAGES;
  const clock = new FetchClock(policy.fetchTimeoutMs);
  const signal =
    options.signal === undefined ? clock.signal : AbortSignal.any([options.signal, clock.signal]);
  try {
    const response = await followRedirects(url, field, signal, { ...options, policy });
    return await read(response, field, maxBytes, clock, options.admit);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof InputError || cause instanceof NotAdmittedError) throw innermost(cause);
    if (cause instanceof AddressRefusedError) throw refused(field, url, cause.message, SEND_BYTES);
    throw failed(field, url, clock.isOver ? 'the server took too long' : reason(cause), cause);
  } finally {
    clock.pause();
  }
}

async function read(
  { body, headers }: Dispatcher.ResponseData,
  field: string,
  maxBytes: number,
  clock: FetchClock,
  admit: ImageFetchOptions['admit'],
): Promise<Uint8Array<ArrayBuffer>> {
  // Aborted while nobody reads it, it must not end the process.
  body.on('error', () => undefined);
  try {
    const encodings = contentEncodings(headers['content-encoding']);
    const length = Number(headers['content-length'] ?? Number.NaN);
    const announced = Number.isSafeInteger(length) && length >= 0 ? length : undefined;
    if ((announced ?? 0) > maxBytes) throw tooManyBytes(field, announced ?? 0, maxBytes);
    const expected = encodings.length === 0 ? announced : undefined;
    const most = admit === undefined ? maxBytes : await admitted(admit, expected, clock);
    const bytes = await collect(body, field, Math.min(maxBytes, most), announced);
    return encodings.length === 0 ? bytes : await unpacked(bytes, encodings, field, Math.min(maxBytes, most));
  } finally {
    body.destroy();
  }
}

async function admitted(
  admit: NonNullable<ImageFetchOptions['admit']>,
  expected: number | undefined,
  clock: FetchClock,
): Promise<number> {
  clock.pause();
  try {
    return await admit(expected);
  } catch (cause) {
    throw new NotAdmittedError(cause);
  } finally {
    clock.resume();
  }
}

async function unpacked(
  bytes: Uint8Array,
  encodings: readonly string[],
  field: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Of its own: what zlib gives may lie in the pool that all buffers share.
    return new Uint8Array(await decodeContent(bytes, encodings, maxBytes));
  } catch (cause) {
    // Where zlib stopped; how much there is nobody knows.
    if (isErrorNamed(cause, 'RangeError')) throw tooManyBytes(field, maxBytes + 1, maxBytes);
    throw cause;
  }
}

/** Carries what `admit` said past what is done with a fetch's own failures. */
class NotAdmittedError extends Error {
  constructor(cause: unknown) {
    super('not admitted', { cause });
  }
}

function innermost(error: InputError | NotAdmittedError): unknown {
  return error instanceof NotAdmittedError ? error.cause : error;
}

interface Following extends ImageFetchOptions {
  readonly policy: ImagePolicy;
}

async function followRedirects(
  start: string,
  field: string,
  signal: AbortSignal,
  { dispatcher, maxRedirects = DEFAULT_MAX_REDIRECTS, policy }: Following,
): Promise<Dispatcher.ResponseData> {
  let url = checkedUrl(start, undefined, field, start, policy);
  const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': policy.userAgent };
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await request(url, { dispatcher: dispatcher ?? agentFor(policy), signal, headers });
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    await response.body.dump({ limit: 64 * 1024, signal });
    const location = response.headers.location;
    if (!REDIRECT_STATUS.has(response.statusCode) || typeof location !== 'string') {
      throw failed(field, start, `the server answered with status ${response.statusCode}`);
    }
    url = checkedUrl(location, url, field, start, policy);
  }
  throw failed(field, start, `the server redirects more than ${maxRedirects} times`);
}

/** @param shown the URL as the caller wrote it, for errors */
function checkedUrl(
  text: string,
  base: URL | undefined,
  field: string,
  shown: string,
  policy: ImagePolicy,
): URL {
  const redirected = base === undefined ? '' : 'the server redirects to a URL that is refused: ';
  const url = URL.parse(text, base?.href);
  if (url === null) throw failed(field, shown, `${redirected}is no valid URL`);
  const refusal = urlRefusal(url, policy);
  if (refusal !== undefined) throw refused(field, shown, redirected + refusal.problem, refusal.remedy);
  return url;
}

/** Into memory of its own, at once where the size was announced. */
async function collect(
  body: AsyncIterable<Uint8Array>,
  field: string,
  maxBytes: number,
  announced: number | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(announced ?? FIRST_BYTES);
  let size = 0;
  for await (const chunk of body) {
    const needed = size + chunk.length;
    if (needed > maxBytes) throw tooManyBytes(field, needed, maxBytes);
    if (needed > bytes.length) bytes = moved(bytes, Math.min(maxBytes, Math.max(needed, bytes.length * 2)));
    bytes.set(chunk, size);
    size = needed;
  }
  return size === bytes.length ? bytes : moved(bytes, size);
}

/** The old memory goes at once, and not with the next collection. */
function moved(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer.transfer(length));
}

function reason(cause: unknown): string {
  if (cause instanceof UnknownEncodingError)
    return `the body has the unknown encoding ${shownValue(cause.message)}`;
  const code = errorCodeOf(cause);
  return code === undefined ? 'the image could not be fetched' : `the image could not be fetched, ${code}`;
}

const SEND_BYTES = 'Fetch the image yourself and send its bytes.';

function failed(field: string, url: string, problem: string, cause?: unknown): InputError {
  const remedy = 'Check the URL, or fetch the image yourself and send its bytes.';
  return new InputError('IMAGE_FETCH_FAILED', problem, { field, value: shownValue(url), remedy }, cause);
}

function refused(field: string, url: string, problem: string, remedy: string): InputError {
  return new InputError('IMAGE_URL_REFUSED', problem, { field, value: shownValue(url), remedy });
}
