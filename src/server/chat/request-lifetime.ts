/**
 * How long a request is wanted: until its client leaves, its time is up, or the server gives it up. All of them are one
 * signal, which ends the wait in the queue, the fetching of images and the compute alike.
 */
import type { ServerResponse } from 'node:http';
import { TroupeError } from '../../../runtime/errors.ts';
import { after } from '../../../runtime/util/timers.ts';

export class RequestLifetime {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #deadline: number;
  #clientGone = false;

  constructor(response: ServerResponse, timeoutMs: number) {
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = after(timeoutMs, () => this.abort(deadlineExceeded(timeoutMs))).unref();
    response.once('close', () => {
      this.#clientGone = !response.writableFinished;
      this.end();
      this.#abort.abort(new TroupeError('the client has gone', { code: 'ABORTED', retrySafe: true }));
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The connection was closed before the answer was complete. */
  get clientGone(): boolean {
    return this.#clientGone;
  }

  /** Milliseconds left, at least 1. */
  get leftMs(): number {
    return Math.max(1, this.#deadline - performance.now());
  }

  abort(reason: TroupeError): void {
    this.#abort.abort(reason);
  }

  /** Stops the clock. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

function deadlineExceeded(timeoutMs: number): TroupeError {
  return new TroupeError(`the request was not answered within ${timeoutMs} ms`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
  });
}
