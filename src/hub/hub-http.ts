/**
 * HTTP to the Hub: through the proxies of the environment, with a token that only the endpoint gets, and again when the
 * Hub is busy or the network fails. One for each pull, closed with it.
 */
import type * as undici from 'undici';
import { throwIfAborted } from '../../runtime/util/aborted.ts';
import { backoffDelay } from '../../runtime/util/backoff.ts';
import { pause } from '../../runtime/util/timers.ts';
import { VERSION } from '../version.ts';
import { hubAnswer, networkCode, rateLimited, unreachable } from './hub-errors.ts';
import type { HubSettings } from './hub-settings.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Without a byte. */
const STALL_TIMEOUT_MS = 30_000;
const MOST_ATTEMPTS = 5;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** Of a Hub that says when to come again. */
const LONGEST_WISH_MS = 60_000;
const MOST_REDIRECTS = 5;
const BUSY: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export interface OpenedFile {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: undici.Dispatcher.ResponseData['body'];
}

/** A part of a file, bytes; both ends belong to it. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

type Undici = typeof undici;

export class HubHttp {
  readonly #undici: Undici;
  readonly #settings: HubSettings;
  readonly #signal: AbortSignal | undefined;
  readonly #dispatcher: undici.Dispatcher;

  private constructor(undici: Undici, settings: HubSettings, signal: AbortSignal | undefined) {
    this.#undici = undici;
    this.#settings = settings;
    this.#signal = signal;
    this.#dispatcher = new undici.EnvHttpProxyAgent({
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: STALL_TIMEOUT_MS,
      bodyTimeout: STALL_TIMEOUT_MS,
    });
  }

  /** To be closed. */
  static async open(settings: HubSettings, signal: AbortSignal | undefined): Promise<HubHttp> {
    // Not before it is needed: most models are here already.
    return new HubHttp(await import('undici'), settings, signal);
  }

  /**
   * For `@huggingface/hub`, which does not try again, forgets the Hub's error codes and takes tokens of one kind only.
   *
   * @param refusal what an answer that is none means
   */
  fetch(refusal: (answer: Refusal) => Error): typeof globalThis.fetch {
    return async (input, init) => {
      const url = new URL(String(input));
      for (let failures = 1; ; failures++) {
        const outcome = await this.#attempt(url, init?.method ?? 'GET');
        if ('error' in outcome) {
          await this.waitAfter(failures, outcome);
          continue;
        }
        // undici's own class; the library uses what Node's has in common with it.
        if (outcome.answer.ok) return outcome.answer as unknown as Response;
        const { status, headers } = outcome.answer;
        const header = (name: string) => headers.get(name) ?? undefined;
        await outcome.answer.body?.cancel();
        if (!BUSY.has(status) || (failures >= MOST_ATTEMPTS && status !== 429)) {
          throw refusal({
            status,
            url: url.href,
            code: header('x-error-code'),
            said: header('x-error-message'),
          });
        }
        await this.waitAfter(failures, { status, retryAfter: header('retry-after') });
      }
    };
  }

  /**
   * Opens a file, following the Hub to where it keeps it. Once: whoever reads the body knows how far it came.
   *
   * @throws the system's error when nobody answers
   */
  async open(address: string, range: ByteRange | undefined): Promise<OpenedFile> {
    let url = new URL(address);
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const {
        statusCode: status,
        headers,
        body,
      } = await this.#dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: this.#headersFor(url, range),
        ...(this.#signal && { signal: this.#signal }),
      });
      const location = headers.location;
      if (status < 300 || status >= 400 || typeof location !== 'string') return { status, headers, body };
      await body.dump();
      const next = URL.parse(location, url.href);
      if (next === null || !/^https?:$/.test(next.protocol))
        throw hubAnswer('a redirect to nowhere', url.origin);
      url = next;
    }
    throw hubAnswer('one redirect after the other', this.#settings.endpoint);
  }

  /**
   * Waits before the next attempt.
   * @throws `HUB_UNREACHABLE`, `HUB_RATE_LIMITED` when there have been enough; the signal's reason when it aborts
   */
  async waitAfter(failures: number, { status, error, retryAfter }: FailedAttempt): Promise<void> {
    throwIfAborted(this.#signal);
    const { endpoint } = this.#settings;
    const isBusy = status !== undefined && BUSY.has(status);
    const isKnown = error !== undefined && networkCode(error) === 'ENOTFOUND'; // there is no such name
    if (failures >= MOST_ATTEMPTS || isKnown || (error === undefined && !isBusy)) {
      if (status === 429) throw rateLimited(endpoint);
      throw unreachable(endpoint, error ?? new Error(`status ${status}`));
    }
    const wish = retryAfterMs(retryAfter);
    if (wish !== undefined && wish > LONGEST_WISH_MS) throw rateLimited(endpoint);
    const own = backoffDelay(failures, { firstMs: FIRST_RETRY_MS, capMs: LONGEST_RETRY_MS });
    await pause(wish ?? own, this.#signal);
    throwIfAborted(this.#signal);
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** The Hub may answer the same question another time. */
  isBusy(status: number): boolean {
    return BUSY.has(status);
  }

  /** Ends what is still open. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  #headersFor(url: URL, range: ByteRange | undefined): Record<string, string> {
    const { endpoint, token } = this.#settings;
    const isHub = url.origin === new URL(endpoint).origin;
    return {
      'user-agent': USER_AGENT,
      // What is stored is what was hashed: nothing may be packed on the way.
      'accept-encoding': 'identity',
      ...(isHub && token !== undefined && { authorization: `Bearer ${token}` }),
      ...(range !== undefined && { range: `bytes=${range.from}-${range.to}` }),
    };
  }

  async #attempt(url: URL, method: string): Promise<{ answer: undici.Response } | { error: unknown }> {
    const headers = this.#headersFor(url, undefined);
    const signal = this.#signal && { signal: this.#signal };
    try {
      return {
        answer: await this.#undici.fetch(url.href, {
          method,
          headers,
          dispatcher: this.#dispatcher,
          ...signal,
        }),
      };
    } catch (error) {
      throwIfAborted(this.#signal);
      return { error };
    }
  }
}

/** An answer of the Hub that gives nothing. */
export interface Refusal {
  readonly status: number;
  readonly url: string;
  /** `X-Error-Code`: `GatedRepo`, `RepoNotFound`… */
  readonly code: string | undefined;
  /** `X-Error-Message` */
  readonly said: string | undefined;
}

export interface FailedAttempt {
  readonly status?: number;
  readonly error?: unknown;
  /** The header, as it came. */
  readonly retryAfter?: string | undefined;
}

const USER_AGENT = `troupe/${VERSION}; node/${process.versions.node}`;

/** Seconds or a date; undefined when it is neither. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
