/**
 * Takes in the body of one request, within what it may have of memory and of time. Nothing is set aside for what was only
 * announced. A request that is refused on the way is answered in words, since the rest of a small body is read past.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { ApiError, badRequest } from '../openai/api-error.ts';
import type { ByteAccount, ByteBudget } from './byte-budget.ts';
import { ReceivedBody } from './received-body.ts';

export interface ReceiverOptions {
  readonly budget: ByteBudget;
  /** Whose share of the budget it takes. */
  readonly client: string;
  /** Longest body, bytes. */
  readonly maxBytes: number;
  /** Bytes a second that must come. */
  readonly minBytesPerSecond: number;
  /** Called for every chunk. */
  onRead(): void;
  /** Called when the body has come to its end. */
  onWhole(): void;
}

/** Over how long the pace is looked at: a connection may pause for some seconds. */
const PACE_MS = 5_000;

/** A chunk costs about a microsecond, whatever is in it. */
const TINY_BYTES = 16;
/** As many as an honest client sends that writes its JSON piece by piece. */
const MAX_TINY_CHUNKS = 8_192;

/** As Node reads the header. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

export class BodyReceiver {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ReceiverOptions;

  constructor(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
  }

  /**
   * @param payload the body's bytes: the request itself, or what it is decoded by
   * @returns the body; with `refusal` when there is no memory for it
   * @throws ApiError 408, 413
   */
  receive(payload: Readable): Promise<ReceivedBody> {
    const { budget, client, maxBytes, minBytesPerSecond } = this.#options;
    const announced = Number(this.#request.headers['content-length'] ?? 0);
    if (announced > maxBytes) throw tooLarge();
    const body = new ReceivedBody();
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedBody>();
    let account: ByteAccount;
    let paced = 0;
    let tiny = 0;
    const pace = setInterval(() => {
      if (body.size - paced < (minBytesPerSecond * PACE_MS) / 1000) end(() => reject(tooSlow()));
      paced = body.size;
    }, PACE_MS);
    const end = (settle: () => void) => {
      clearInterval(pace);
      payload.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost);
      payload.on('error', () => {}).resume(); // the rest goes by
      settle();
    };
    const refuse = (reason: unknown) => {
      body.drop();
      body.refusal = reason;
      end(() => resolve(body));
    };
    const onData = (chunk: Buffer<ArrayBuffer>) => {
      this.#options.onRead();
      if (chunk.length < TINY_BYTES && ++tiny > MAX_TINY_CHUNKS) return this.#request.destroy();
      if (body.size + chunk.length > maxBytes) return end(() => reject(tooLarge()));
      try {
        account.add(chunk.length);
      } catch (error) {
        account.release();
        return refuse(error);
      }
      body.push(chunk);
    };
    const onEnd = () => {
      account.complete();
      this.#options.onWhole();
      end(() => resolve(body));
    };
    const onLost = () => end(() => reject(badRequest('invalid_request', 'body', 'did not come in whole')));
    try {
      account = budget.open(client, announced, refuse);
    } catch (error) {
      refuse(error);
      return promise;
    }
    this.#response.once('close', () => account.release());
    this.#invite();
    payload.on('data', onData).once('end', onEnd).once('error', onLost).once('close', onLost);
    return promise;
  }

  /** A client that waits for it, to send its body only if it is wanted. */
  #invite(): void {
    const { headers, httpVersion } = this.#request;
    if (httpVersion === '1.1' && CONTINUE.test(headers.expect ?? '')) this.#response.writeContinue();
  }
}

function tooLarge(): ApiError {
  return refusal(413, 'body_too_large', 'The request is larger than this server takes.');
}

function tooSlow(): ApiError {
  return refusal(408, 'request_too_slow', 'The request came too slowly.');
}

function refusal(status: number, code: string, message: string): ApiError {
  return new ApiError(message, { status, type: 'invalid_request_error', code });
}
