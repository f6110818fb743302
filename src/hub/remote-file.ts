/** Parts of a file on the Hub, read as they are needed: what lies close together comes in one piece. */
import { TroupeError } from '../../runtime/errors.ts';
import { throwIfAborted } from '../../runtime/util/aborted.ts';
import { hubAnswer } from './hub-errors.ts';
import type { HubHttp, Refusal } from './hub-http.ts';

export interface RemoteFileOptions {
  readonly http: HubHttp;
  readonly address: string;
  readonly size: number;
  readonly signal: AbortSignal | undefined;
  refusal(answer: Refusal): Error;
}

const FIRST_BYTES = 64 * 1024;
const MOST_BYTES = 1024 * 1024;

export class RemoteFile {
  readonly #options: RemoteFileOptions;
  #window: { readonly from: number; readonly bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };
  #nextBytes = FIRST_BYTES;

  constructor(options: RemoteFileOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.size;
  }

  /** @param length at most what the file has from there on, or less comes back */
  async read(from: number, length: number): Promise<Buffer> {
    const to = Math.min(this.size, from + length);
    const { from: start, bytes } = this.#window;
    const end = start + bytes.length;
    if (from >= start && to <= end) return bytes.subarray(from - start, to - start);
    // Who reads on reads more of it; who jumps reads a little.
    const isNext = from >= start && from <= end;
    this.#nextBytes = isNext ? Math.min(MOST_BYTES, this.#nextBytes * 2) : FIRST_BYTES;
    const kept = isNext ? bytes.subarray(from - start) : Buffer.alloc(0);
    const wanted = Math.min(this.size, Math.max(to, from + kept.length + this.#nextBytes));
    const fetched = await this.#fetch(from + kept.length, wanted);
    this.#window = { from, bytes: Buffer.concat([kept, fetched]) };
    return this.#window.bytes.subarray(0, to - from);
  }

  async #fetch(from: number, to: number): Promise<Buffer> {
    if (from >= to) return Buffer.alloc(0);
    const { http, address, signal } = this.#options;
    for (let failures = 1; ; failures++) {
      const outcome = await this.#tried(from, to);
      if ('bytes' in outcome && outcome.bytes.length === to - from) return outcome.bytes;
      throwIfAborted(signal);
      if ('bytes' in outcome) await http.waitAfter(failures, { error: new Error(`${address} was cut off`) });
      else await http.waitAfter(failures, outcome);
    }
  }

  async #tried(from: number, to: number): Promise<Tried> {
    const { http, address, size, refusal } = this.#options;
    try {
      const { status, headers, body } = await http.open(address, { from, to: to - 1 });
      if (status === 206 || (status === 200 && from === 0 && to === size)) {
        return { bytes: Buffer.from(await body.arrayBuffer()) };
      }
      await body.dump();
      if (status === 200) throw hubAnswer('a whole file where a part was asked for', address);
      const header = (name: string) => headers[name]?.toString();
      if (http.isBusy(status)) return { status, retryAfter: header('retry-after') };
      throw refusal({ status, url: address, code: header('x-error-code'), said: header('x-error-message') });
    } catch (error) {
      if (TroupeError.is(error)) throw error;
      return { error };
    }
  }
}

type Tried =
  | { readonly bytes: Buffer }
  | { readonly error: unknown }
  | { readonly status: number; readonly retryAfter: string | undefined };
