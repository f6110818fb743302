/** Connections that are there to take others' place: silent, slow, many at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { openSocket, rawRequest, untilClosed } from './support/raw-request.ts';
import { assertServes, ENDLESS, HELLO, idle, post, startEndless, startServer } from './support/server.ts';

const BYSTANDER = '127.0.0.2';

function head(server: TroupeServer, ...lines: readonly string[]): string {
  const { host } = new URL(server.url);
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A question from another address of this machine; its status. */
async function askFrom(server: TroupeServer, localAddress: string): Promise<number | undefined> {
  const { hostname, port } = new URL(server.url);
  const asking = request({
    ...{ hostname, port, localAddress, agent: false, method: 'POST' },
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
  });
  asking.end(JSON.stringify(HELLO));
  const [response] = await once(asking, 'response');
  response.resume();
  return response.statusCode;
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

async function waiting(server: TroupeServer): Promise<number> {
  const { requests } = JSON.parse(await (await fetch(`${server.url}/health`)).text());
  return requests.waiting;
}

const isLinux = process.platform === 'linux';
const needsLoopback = { skip: isLinux ? false : 'all of 127.0.0.0/8 is this machine on Linux alone' };

describe('the memory for bodies', () => {
  it('is not taken by what was only announced', async () => {
    await using server = await startServer({ http: { maxBodyBytes: 4096, maxBufferedBytes: 8192 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 20; i++) {
      const socket = await openSocket(server);
      socket.write(`${head(server, 'Content-Length: 4096')}{`);
      sockets.push(socket);
    }
    await assertServes(server);
    for (const socket of sockets) socket.destroy();
  });

  it('is not taken by who has no key', async () => {
    await using server = await startServer({ apiKeys: ['the-only-key'] });
    const answer = await rawRequest(server, `${head(server, 'Content-Length: 20000000')}${'x'.repeat(1000)}`);
    assert.match(answer, /^HTTP\/1.1 401 /);
    assert.match(answer, /\r\nconnection: close\r\n/i);
  });

  it('is refused in words to a client that has its share, whose connection lives on', async () => {
    await using server = await startServer({ http: { maxBodyBytes: 8192, maxBufferedBytes: 8192 } });
    const held = await startEndless(server);
    const socket = await openSocket(server);
    const body = JSON.stringify({ ...HELLO, user: 'x'.repeat(6500) });
    const { host } = new URL(server.url);
    socket.write(head(server, `Content-Length: ${body.length}`) + body);
    socket.write(`GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await untilClosed(socket), /^HTTP\/1.1 429 .*buffers_full.*HTTP\/1.1 200 .*live/s);
    held.leave();
    await idle(server);
  });
});

describe('a body that comes slowly', () => {
  it('ends when it falls behind the least pace', async (t) => {
    await using server = await startServer();
    const socket = await openSocket(server);
    t.mock.timers.enable({ apis: ['setInterval'] });
    socket.write(head(server, 'Expect: 100-continue', 'Content-Length: 100000'));
    await once(socket, 'data'); // asked for its body
    const answer = untilClosed(socket);
    t.mock.timers.tick(5_000);
    t.mock.timers.reset();
    assert.match(await answer, /^HTTP\/1.1 408 .*request_too_slow/s);
  });
});

describe('connections of one address', () => {
  it('that send nothing give way to new ones', async () => {
    await using server = await startServer({ http: { maxConnections: 16 } });
    const silent: Socket[] = [];
    for (let i = 0; i < 40; i++) silent.push(await openSocket(server));
    await assertServes(server);
    for (const socket of silent) socket.destroy();
  });

  it('whose heads never end give way to new ones', async () => {
    await using server = await startServer({ http: { maxConnections: 16 } });
    const dripping: Socket[] = [];
    for (let i = 0; i < 40; i++) {
      const socket = await openSocket(server);
      socket.write('GET /live HTTP/1.1\r\nHost: lo');
      dripping.push(socket);
    }
    await assertServes(server);
    for (const socket of dripping) socket.destroy();
  });

  it('that are in use leave room for another address', needsLoopback, async () => {
    await using server = await startServer({ http: { maxConnections: 8, maxConnectionsPerAddress: 4 } });
    const used: Socket[] = [];
    for (let i = 0; i < 4; i++) {
      const socket = await openSocket(server);
      socket.write(head(server, 'Expect: 100-continue', 'Content-Length: 1000'));
      await once(socket, 'data'); // asked for its body: in use
      used.push(socket);
    }
    const refused = await untilClosed(await openSocket(server));
    assert.match(refused, /^(HTTP\/1.1 503 .*too_many_connections|$)/s);
    assert.equal(await askFrom(server, BYSTANDER), 200);
    for (const socket of used) socket.destroy();
  });
});

describe('turns', () => {
  it('are those of a key, however it is written', async () => {
    const apiKeys = ['key-of-many', 'key-of-few'];
    await using server = await startServer({ queue: { maxInFlight: 1, maxQueued: 2 }, apiKeys });
    const running = await startEndless(server, { authorization: 'Bearer key-of-many' });
    const many = [];
    for (const authorization of ['bearer key-of-many', 'Bearer   key-of-many']) {
      many.push(post(server, HELLO, { headers: { authorization } }));
      await until(async () => (await waiting(server)) === many.length);
    }
    const few = post(server, HELLO, { headers: { authorization: 'Bearer key-of-few' } });
    const [, second] = many;
    assert.equal((await second)?.status, 429); // it made room
    running.leave();
    assert.equal((await few).status, 200);
    await Promise.all(many);
  });

  it('are those of an address without keys, whatever the client calls itself', needsLoopback, async () => {
    await using server = await startServer({ queue: { maxInFlight: 1, maxQueued: 2 } });
    const running = await startEndless(server);
    const many = [];
    for (const authorization of ['Bearer one', 'Bearer two']) {
      many.push(post(server, HELLO, { headers: { authorization } }));
      await until(async () => (await waiting(server)) === many.length);
    }
    const other = askFrom(server, BYSTANDER);
    const [, second] = many;
    assert.equal((await second)?.status, 429);
    running.leave();
    assert.equal(await other, 200);
    await Promise.all(many);
  });

  for (const [name, trustedProxies, statuses] of [
    ['that a trusted proxy names', ['127.0.0.0/8'], [200, 429, 200]],
    ['that connects, whatever it says of another', [], [200, 200, 429]],
  ] as const) {
    it(`are those of the address ${name}`, async () => {
      await using server = await startServer({
        queue: { maxInFlight: 1, maxQueued: 2 },
        http: { trustedProxies: [...trustedProxies] },
      });
      const ask = (client: string) => post(server, HELLO, { headers: { 'x-forwarded-for': client } });
      const running = await startEndless(server);
      const asked: Promise<Response>[] = [];
      for (const client of ['192.0.2.1', '192.0.2.1']) {
        asked.push(ask(client));
        await until(async () => (await waiting(server)) === asked.length);
      }
      asked.push(ask('192.0.2.2'));
      await Promise.race(asked); // who makes room, or finds none
      running.leave();
      const answers = await Promise.all(asked);
      assert.deepEqual(
        answers.map(({ status }) => status),
        statuses,
      );
    });
  }
});

describe('one connection', () => {
  it('has its requests answered in their order, when it sends the next before the last is answered', async () => {
    await using server = await startServer();
    const { host } = new URL(server.url);
    const body = JSON.stringify(HELLO);
    const text =
      head(server, `Content-Length: ${body.length}`) +
      body +
      `GET /live HTTP/1.1\r\nHost: ${host}\r\n\r\n` +
      `GET /none HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const answer = await rawRequest(server, text);
    assert.deepEqual(answer.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  it('is closed when it sends thousands of requests in one piece, which are not even parsed', async (t) => {
    await using server = await startServer();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const { CutOffMessage } = await import('../../src/server/http/cut-off-message.ts');
    const asked = t.mock.setter(CutOffMessage.prototype, 'upgrade');
    const one = `GET /live HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`;
    socket.write(one.repeat(1000));
    socket.resume();
    await once(socket, 'close');
    assert(asked.mock.callCount() < 100, `${asked.mock.callCount()} were parsed`);
    await assertServes(server);
  });

  it('is closed when its body comes in thousands of chunks of one byte', async () => {
    await using server = await startServer();
    const socket = await openSocket(server);
    socket.write(head(server, 'Transfer-Encoding: chunked'));
    const closed = untilClosed(socket);
    const chunks = '1\r\n \r\n'.repeat(1000);
    while (socket.writable) {
      if (!socket.write(chunks)) await Promise.race([once(socket, 'drain'), closed]).catch(() => undefined);
    }
    await closed;
    await assertServes(server);
  });

  it('may send a body in some thousand small chunks', async () => {
    await using server = await startServer();
    const body = JSON.stringify({ ...HELLO, stop: Array.from({ length: 4 }, () => 'x'.repeat(1000)) });
    const chunks = [...body].map((letter) => `1\r\n${letter}\r\n`).join('');
    const text = `${head(server, 'Transfer-Encoding: chunked', 'Connection: close')}${chunks}0\r\n\r\n`;
    assert.match(await rawRequest(server, text), /^HTTP\/1.1 200 /);
  });

  it('is asked for a body only when that is wanted', async () => {
    await using server = await startServer({ apiKeys: ['the-only-key'] });
    const expecting = ['Expect: 100-continue', 'Content-Length: 1000'];
    assert.match(await rawRequest(server, head(server, ...expecting)), /^HTTP\/1.1 401 /);
    const body = JSON.stringify(HELLO);
    const socket = await openSocket(server);
    const key = ['Authorization: Bearer the-only-key', 'Connection: close'];
    socket.write(head(server, 'Expect: 100-continue', `Content-Length: ${body.length}`, ...key));
    const [invited] = await once(socket, 'data');
    assert.equal(String(invited), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    assert.match(await untilClosed(socket), /^HTTP\/1.1 200 /);
  });

  it('that takes nothing of its stream holds up nobody', async () => {
    await using server = await startServer();
    const body = JSON.stringify({ ...ENDLESS, stream: true });
    const socket = await openSocket(server);
    socket.pause();
    socket.write(head(server, `Content-Length: ${body.length}`) + body);
    await assertServes(server);
    socket.destroy();
    await idle(server);
  });
});
