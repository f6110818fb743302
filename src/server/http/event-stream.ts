/**
 * Server-sent events to one client. What a slow client does not take gathers here and not in the engine: the caller
 * looks at `congested` and holds text back, to send it in one piece later.
 */
import type { ServerResponse } from 'node:http';

export class EventStream {
  readonly #response: ServerResponse;

  /** Sends the head of the answer. */
  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>) {
    this.#response = response;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // proxies would otherwise gather what is meant to stream
    });
  }

  /** True while the client has not taken what was sent. */
  get congested(): boolean {
    return this.#response.writableNeedDrain;
  }

  send(data: object): void {
    this.#write(JSON.stringify(data));
  }

  /** With the mark by which OpenAI's API ends a stream. */
  done(): void {
    this.#write('[DONE]');
    this.#response.end();
  }

  /** Without the mark: something went wrong. */
  fail(body: object): void {
    this.send(body);
    this.#response.end();
  }

  #write(data: string): void {
    if (!this.#response.destroyed) this.#response.write(`data: ${data}\n\n`);
  }
}
