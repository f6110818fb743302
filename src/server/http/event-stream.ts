/**
 * Server-sent events to one client. What a slow client does not take gathers here and not in the engine: the caller
 * looks at `congested` and holds text back, to send it in one piece later.
 */
import type { ServerResponse } from 'node:http';

export interface ServerEvent {
  /** Absent for events that have no name. */
  readonly name?: string;
  /** Sent as JSON; a string as it is. */
  readonly data: object | string;
}

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

  send(events: readonly ServerEvent[]): void {
    const text = events.map(written).join('');
    if (text !== '' && !this.#response.destroyed) this.#response.write(text);
  }

  /** Sends the last events. */
  end(events: readonly ServerEvent[]): void {
    this.send(events);
    this.#response.end();
  }
}

function written({ name, data }: ServerEvent): string {
  const event = name === undefined ? '' : `event: ${name}\n`;
  return `${event}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}
