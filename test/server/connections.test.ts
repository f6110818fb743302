import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { HostGuard } from '../../src/server/http/host-guard.ts';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import { openSocket, rawRequest, untilClosed } from './support/raw-request.ts';
import {
  askAbout,
  assertServes,
  ENDLESS,
  HELLO,
  idle,
  MODEL_NAME,
  post,
  startServer,
} from './support/server.ts';

/** A whole request, as it is on the wire. */
function requestOf(server: TroupeServer, body: object, version = '1.1'): string {
  const json = JSON.stringify(body);
  const { host } = new URL(server.url);
  const head = `POST /v1/chat/completions HTTP/${version}\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}

/** Sends it and ends this side of the connection. */
async function halfClosed(server: TroupeServer, text: string): Promise<Socket> {
  const socket = await openSocket(server);
  socket.end(text);
  return socket;
}

function nextStart(server: TroupeServer): Promise<unknown> {
  return new Promise((resolve) => server.engine.events.once('request:start', resolve));
}

/** Of the next request that ends; undefined if it was answered. */
function nextFailure(server: TroupeServer): Promise<unknown> {
  return new Promise((resolve) => {
    server.engine.events.once('request:end', ({ error }) => resolve(error));
  });
}

/** The JSON of an answer with one length. */
function bodyOf(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(Number(/content-length: (\d+)/i.exec(head)?.[1]), Buffer.byteLength(body));
  return JSON.parse(body);
}

describe('a client that ends its side of the connection after its request', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer();
  });
  afterEach(() => assertServes(server));
  after(() => server.close());

  for (const version of ['1.1', '1.0']) {
    it(`gets its answer in HTTP/${version}, byte for byte what others get`, async () => {
      const socket = await halfClosed(server, requestOf(server, { messages: askAbout(33) }, version));
      const { choices } = bodyOf(await untilClosed(socket));
      assert.equal(choices[0].message.content, golden(33).greedy.trim());
    });
  }

  it('gets a long answer, whose beginning it has long before the rest', async () => {
    const socket = await halfClosed(server, requestOf(server, { ...ENDLESS, max_tokens: 400 }));
    assert.equal(bodyOf(await untilClosed(socket)).usage.completion_tokens, 400);
  });

  it('gets a stream to its mark', async () => {
    const socket = await halfClosed(server, requestOf(server, { ...HELLO, stream: true }));
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 200 OK\r\n.*data: \[DONE\]\n\n/s);
  });

  it('gets an error', async () => {
    const socket = await halfClosed(server, requestOf(server, { ...HELLO, verbosity: 'low' }));
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 400 Bad Request\r\n.*unsupported_value/s);
  });

  it('gets both answers to two requests that it sent together', async () => {
    const text = requestOf(server, HELLO);
    const answer = await untilClosed(await halfClosed(server, text + text));
    assert.equal(answer.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 2);
  });

  it('gets none when its request is not whole', async () => {
    const text = requestOf(server, HELLO).slice(0, -5);
    assert.match(await untilClosed(await halfClosed(server, text)), /^HTTP\/1\.1 400 /);
  });

  it('is told from one that has gone, whose compute stops', async () => {
    for (const stream of [false, true]) {
      const socket = await openSocket(server);
      const started = nextStart(server);
      socket.write(requestOf(server, { ...ENDLESS, stream }));
      await started;
      const ended = nextFailure(server);
      socket.destroy(); // nothing has come that it has not read: TCP ends the connection without a reset
      const error = await ended;
      assert(error instanceof Error && 'code' in error && error.code === 'ABORTED', String(error));
      await idle(server);
    }
  });

  it('is told from one that half-closed first, and went later', async () => {
    const started = nextStart(server);
    const socket = await halfClosed(server, requestOf(server, ENDLESS));
    const ended = nextFailure(server);
    await started;
    await once(socket, 'data'); // the first letter of an answer that is far off
    socket.destroy();
    const error = await ended;
    assert(error instanceof Error && 'code' in error && error.code === 'ABORTED', String(error));
  });
});

describe('a health check', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  for (const [what, text, status] of [
    ['of HAProxy, as it is by itself', 'OPTIONS / HTTP/1.0\r\n\r\n', 204],
    ['of HAProxy, of a path', 'GET /health HTTP/1.0\r\n\r\n', 200],
    ['by its head alone', 'HEAD /health HTTP/1.0\r\n\r\n', 200],
    ['with a slash at its end', 'GET /health/ HTTP/1.0\r\n\r\n', 200],
    ['whether it lives', 'GET /live HTTP/1.0\r\n\r\n', 200],
  ] as const) {
    it(`without a Host header is answered, ${what}`, async () => {
      assert.match(await rawRequest(server, text), new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }

  it('of HTTP/1.1 has to have one, as the standard says', async () => {
    assert.match(await rawRequest(server, 'GET /health HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });

  it('with another name is refused, as before', async () => {
    for (const host of ['evil.test', '127.0.0.1.evil.test', '10.0.0.1', '']) {
      const answer = await rawRequest(server, `GET /health HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 403 .*host_not_allowed/s);
    }
  });
});

describe('the guard of names', () => {
  const guard = new HostGuard({ host: '0.0.0.0', loopback: false, allowedHosts: ['troupe.example'] });

  it('lets pass the address that the connection has reached', () => {
    assert(guard.accepts('10.0.0.5:8000', '10.0.0.5'));
    assert(guard.accepts('10.0.0.5:8000', '::ffff:10.0.0.5'));
    assert(guard.accepts('[fd00::5]:8000', 'fd00:0:0::5'));
    assert(guard.accepts('troupe.example', '10.0.0.5'));
    assert(guard.accepts(undefined, '10.0.0.5'));
  });

  it('lets no other address or name pass', () => {
    for (const host of [
      '10.0.0.6',
      'ten.example',
      '10.0.0.5.evil.test',
      '',
      '[fd00::5',
      '[::1',
      '[::1%a.b]',
      '::1%',
    ])
      assert(!guard.accepts(host, '10.0.0.5'), host);
    assert(!guard.accepts('10.0.0.5', undefined));
  });
});

describe('a path', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ modelName: `org/${MODEL_NAME}` });
  });
  after(() => server.close());

  for (const path of ['/v1/models', '/v1/models/', '//v1//models', '/v1/models?limit=1', '/v1/models/?a=b']) {
    it(`${path} lists the model`, async () => {
      const { data } = JSON.parse(await (await fetch(server.url + path)).text());
      assert.deepEqual(
        data.map(({ id }: { id: string }) => id),
        [`org/${MODEL_NAME}`],
      );
    });
  }

  for (const path of [
    `/v1/models/org/${MODEL_NAME}`,
    `/v1/models/org%2F${MODEL_NAME}`,
    `/v1/models/org/${MODEL_NAME}/`,
  ]) {
    it(`${path} finds it`, async () => {
      const model = JSON.parse(await (await fetch(server.url + path)).text());
      assert.equal(model.id, `org/${MODEL_NAME}`);
    });
  }

  for (const path of ['/v1/chat/completions/', '//v1/chat/completions', '/v1//chat/completions']) {
    it(`${path} answers`, async () => assert.equal((await post(server, HELLO, { path })).status, 200));
  }

  it('may be asked for its head', async () => {
    for (const path of ['/', '/health', '/live', '/metrics', '/v1/models', '/v1/models/']) {
      const response = await fetch(server.url + path, { method: 'HEAD' });
      assert.deepEqual([response.status, await response.text()], [200, ''], path);
    }
  });
});

describe('the model that is listed', () => {
  it('says how long its context is, and that it sees images', async () => {
    await using server = await startServer();
    const { data } = JSON.parse(await (await fetch(`${server.url}/v1/models`)).text());
    const [model] = data;
    assert.equal(model.max_model_len, 2048);
    assert.equal(model.context_length, 2048);
    assert.deepEqual(model.architecture.input_modalities, ['text', 'image']);
    assert.deepEqual(model.architecture.output_modalities, ['text']);
  });
});
