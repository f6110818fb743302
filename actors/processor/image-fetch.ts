/**
 * Image bytes over HTTP, within limits: a slow, endless or redirecting server costs a bounded time and memory, and
 * every failure names what went wrong in one line.
 */
import { Agent, type Dispatcher, request } from 'undici';
import { InputError } from '../errors.ts';
import { tooManyBytes } from './image-limits.ts';
import { shownValue } from './shown-value.ts';

export interface ImageFetchOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for everything: connecting, redirects, the whole body. Default 10,000. */
  readonly timeoutMs?: number;
  /** Most redirects that are followed. Default 5. */
  readonly maxRedirects?: number;
  /** Connections to use. Default: a shared agent with a connect timeout of 1,500 ms. */
  readonly dispatcher?: Dispatcher;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 1_500;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

let sharedAgent: Agent | undefined;

/**
 * @throws InputError IMAGE_FETCH_FAILED, IMAGE_TOO_LARGE_BYTES; the caller's reason when its signal is aborted
 */
export async function fetchImage(
  url: string,
  field: string,
  maxBytes: number,
  options: ImageFetchOptions,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const { body, headers } = await followRedirects(url, field, signal, options);
    try {
      const announced = Number(headers['content-length'] ?? 0);
      if (announced > maxBytes) throw tooManyBytes(field, announced, maxBytes);
      return await collect(body, field, maxBytes);
    } finally {
      body.destroy();
    }
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof InputError) throw cause;
    throw failed(field, url, timeout.aborted ? 'the server took too long' : reason(cause), cause);
  }
}

async function followRedirects(
  start: string,
  field: string,
  signal: AbortSignal,
  { dispatcher, maxRedirects = DEFAULT_MAX_REDIRECTS }: ImageFetchOptions,
): Promise<Dispatcher.ResponseData> {
  sharedAgent ??= new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  let url = start;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const headers = { accept: 'image/*' };
    const response = await request(url, { dispatcher: dispatcher ?? sharedAgent, signal, headers });
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    await response.body.dump();
    const location = response.headers.location;
    if (!REDIRECT_STATUS.has(response.statusCode) || typeof location !== 'string') {
      throw failed(field, start, `the server answered with status ${response.statusCode}`);
    }
    const next = URL.parse(location, url);
    if (next?.protocol !== 'http:' && next?.protocol !== 'https:') {
      throw failed(field, start, 'the server redirects to something other than http');
    }
    url = next.href;
  }
  throw failed(field, start, `the server redirects more than ${maxRedirects} times`);
}

async function collect(
  body: AsyncIterable<Uint8Array>,
  field: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw tooManyBytes(field, size, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function reason(cause: unknown): string {
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  return code === null ? 'the image could not be fetched' : `the image could not be fetched, ${code}`;
}

function failed(field: string, url: string, problem: string, cause?: unknown): InputError {
  const remedy = 'Check the URL, or fetch the image yourself and send its bytes.';
  return new InputError('IMAGE_FETCH_FAILED', problem, { field, value: shownValue(url), remedy }, cause);
}
