/** What the tests of other APIs' requests share: a server with a key, how it is asked, and a picture in each API's words. */
import assert from 'node:assert/strict';
import type { TroupeServer } from '../../../src/server/serve.ts';
import { golden } from '../../support/golden.ts';
import { dataUrl, post, startServer } from './server.ts';

export const KEY = 'key-of-a-client';
export const ONE = golden(33);
export const ANSWER = ONE.greedy.trim();
export const PICTURE = dataUrl(ONE);

/** A schema that two answers keep to. */
export const COLOR = {
  type: 'object',
  properties: { color: { enum: ['red', 'blue'] } },
  required: ['color'],
  additionalProperties: false,
};

export interface NamedEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes is looked at by the test
  readonly data: any;
}

/** Server-sent events with names. */
export function namedEvents(text: string): NamedEvent[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [, name = '', data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(event) ?? [];
      assert.notEqual(name, '', event);
      return { name, data: JSON.parse(data) };
    });
}

export const withoutRepeats = (names: readonly string[]) =>
  names.filter((name, at) => name !== names[at - 1]);

/** A server of the tests' model that wants {@link KEY}, and a client of it. */
export class KeyedServer implements AsyncDisposable {
  readonly server: TroupeServer;

  private constructor(server: TroupeServer) {
    this.server = server;
  }

  static async start(): Promise<KeyedServer> {
    return new KeyedServer(await startServer({ apiKeys: [KEY] }));
  }

  readonly send = (path: string, body: unknown, headers: Record<string, string> = { 'x-api-key': KEY }) =>
    post(this.server, body, { path, headers });

  readonly answer = async (path: string, body: unknown) => {
    const response = await this.send(path, body);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };

  readonly events = async (path: string, body: object) => {
    const response = await this.send(path, { ...body, stream: true });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    return namedEvents(await response.text());
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}
