/**
 * Takes in the body of one request, within what it may have of memory and of time. Nothing is set aside for what was only
 * announced. A request that is refused on the way is answered in words, since the rest of a small body is read past.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { ApiError, badRequest } from '../openai/api-error.ts';
import { BodyPace } from './body-pace.ts';
import type { ByteAccount, ByteBudget } from './byte-budget.ts';
import { createInflater, type Encoding, notInflatable } from './inflate-body.ts';
import { ReceivedBody } from './received-body.ts';

export interface ReceiverOptions {
  readonly budget: ByteBudget;
  /** Whose share of the budget it takes. */
  readonly client: string;
  /** How it is compressed, if it is. */
  readonly encoding: Encoding | undefined;
  /** Longest body, bytes: as it comes, and inflated. */
  readonly maxBytes: number;
  /** Bytes a second that must come, over the network. */
  readonly minBytesPerSecond: number;
  /** Called for every chunk. */
  onRead(): void;
  /** Called when the body has come to its end. */
  onWhole(): void;
}

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
  readonly #settled = Promise.withResolvers<ReceivedBody>();
  readonly #body = new ReceivedBody();
  #account: ByteAccount | undefined;
  #pace: BodyPace | undefined;
  /** As it comes. */
  #bytes = 0;
  #tinyChunks = 0;
  #ended = false;
  #detach = () => {};

  constructor(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
  }

  /**
   * To be called once.
   * @returns the body; with `refusal` when there is no memory for it
   * @throws ApiError 400 when it does not come in whole or cannot be inflated; 408, 413
   */
  async receive(): Promise<ReceivedBody> {
    const { budget, client, encoding, maxBytes, minBytesPerSecond } = this.#options;
    const announced = Number(this.#request.headers['content-length'] ?? 0);
    if (announced > maxBytes) throw tooLarge();
    try {
      this.#account = budget.open(client, announced, this.#refuse);
    } catch (error) {
      this.#refuse(error);
      return this.#body;
    }
    this.#response.once('close', () => {
      this.#account?.release();
      this.#onLost();
    });
    this.#invite();
    const payload = encoding === undefined ? this.#request : this.#inflated(encoding);
    this.#request.on('data', this.#onChunk).once('close', this.#onClose);
    payload.on('data', this.#onBytes).once('end', this.#onEnd);
    const pace = new BodyPace(this.#request, minBytesPerSecond, () => this.#fail(tooSlow()));
    this.#pace = pace;
    this.#detach = () => {
      pace.end();
      payload.off('data', this.#onBytes).off('end', this.#onEnd);
      this.#request.off('data', this.#onChunk).off('close', this.#onClose).unpipe();
      if (payload !== this.#request) payload.destroy();
    };
    return await this.#settled.promise;
  }

  #inflated(encoding: Encoding): Readable {
    const inflater = createInflater(encoding);
    inflater.on('error', (error) => this.#fail(notInflatable(encoding, error)));
    return this.#request.pipe(inflater);
  }

  /** What comes over the network. */
  readonly #onChunk = (chunk: Uint8Array) => {
    this.#options.onRead();
    this.#pace?.came(chunk.length);
    this.#bytes += chunk.length;
    if (chunk.length < TINY_BYTES && ++this.#tinyChunks > MAX_TINY_CHUNKS) this.#request.destroy();
    // Much that becomes little.
    if (this.#bytes > this.#options.maxBytes) this.#fail(tooLarge());
  };

  /** What is in it. */
  readonly #onBytes = (chunk: Buffer<ArrayBuffer>) => {
    if (this.#body.size + chunk.length > this.#options.maxBytes) return this.#fail(tooLarge());
    try {
      this.#account?.add(chunk.length);
    } catch (error) {
      this.#account?.release();
      return this.#refuse(error);
    }
    this.#body.push(chunk);
  };

  readonly #onEnd = () => {
    this.#end(() => {
      this.#account?.complete();
      if (this.#request.readableEnded) this.#options.onWhole();
      this.#settled.resolve(this.#body);
    });
  };

  /** Of the request; one that is compressed may be whole by then. */
  readonly #onClose = () => {
    if (!this.#request.readableEnded) this.#onLost();
  };

  readonly #onLost = () => this.#fail(badRequest('invalid_request', 'body', 'did not come in whole'));

  /** There is no memory for it. */
  readonly #refuse = (reason: unknown) => {
    this.#end(() => {
      this.#body.drop();
      this.#body.refusal = reason;
      this.#settled.resolve(this.#body);
    });
  };

  #fail(error: ApiError): void {
    this.#end(() => {
      this.#body.drop();
      this.#settled.reject(error);
    });
  }

  /** Once, and at once: much may still come in the same turn. */
  #end(settle: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#detach();
    this.#request.on('error', () => {}).resume(); // the rest goes by
    settle();
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
