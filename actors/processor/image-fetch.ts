/**
 * Image bytes over HTTP, within limits: a slow, endless or redirecting server costs a bounded time and memory, a URL
 * that may not be fetched is refused at every redirect anew, and every failure says what went wrong in one line.
 */
import { Agent, type Dispatcher, request } from 'undici';
import { timeoutSignal } from '../../runtime/util/timers.ts';
import { InputError } from '../errors.ts';
import { AddressRefusedError, guardedConnector } from './guarded-connector.ts';
import { tooManyBytes } from './image-limits.ts';
import { type ImagePolicy, TRUSTED_IMAGES } from './image-policy.ts';
import { urlRefusal } from './image-url-guard.ts';
import { shownValue } from './shown-value.ts';

export interface ImageFetchOptions {
  readonly signal?: AbortSignal;
  /** Default `TRUSTED_IMAGES`. */
  readonly policy?: ImagePolicy;
  /** Most redirects that are followed. Default 5. */
  readonly maxRedirects?: number;
  /** Connections to use. Default: a shared agent, guarded unless the policy allows private addresses. */
  readonly dispatcher?: Dispatcher;
}

const DEFAULT_MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 1_500;
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308]);

let openAgent: Agent | undefined;
let guardedAgent: Agent | undefined;

/**
 * @throws InputError IMAGE_URL_REFUSED, IMAGE_FETCH_FAILED, IMAGE_TOO_LARGE_BYTES; the caller's reason when its signal
 *   is aborted
 */
export async function fetchImage(
  url: string,
  field: string,
  maxBytes: number,
  options: ImageFetchOptions,
): Promise<Uint8Array> {
  const policy = options.policy ?? TRUSTED_IMAGES;
  const timeout = timeoutSignal(policy.fetchTimeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const { body, headers } = await followRedirects(url, field, signal, { ...options, policy });
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
    if (cause instanceof AddressRefusedError) throw refused(field, url, cause.message, SEND_BYTES);
    throw failed(field, url, timeout.aborted ? 'the server took too long' : reason(cause), cause);
  }
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
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const headers = { accept: 'image/*' };
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

function agentFor({ privateAddresses }: ImagePolicy): Agent {
  if (privateAddresses) {
    openAgent ??= new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
    return openAgent;
  }
  guardedAgent ??= new Agent({ connect: guardedConnector({ timeoutMs: CONNECT_TIMEOUT_MS }) });
  return guardedAgent;
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

const SEND_BYTES = 'Fetch the image yourself and send its bytes.';

function failed(field: string, url: string, problem: string, cause?: unknown): InputError {
  const remedy = 'Check the URL, or fetch the image yourself and send its bytes.';
  return new InputError('IMAGE_FETCH_FAILED', problem, { field, value: shownValue(url), remedy }, cause);
}

function refused(field: string, url: string, problem: string, remedy: string): InputError {
  return new InputError('IMAGE_URL_REFUSED', problem, { field, value: shownValue(url), remedy });
}
