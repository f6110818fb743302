import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { serve, type TroupeServer } from '../../src/server/serve.ts';
import { nodesOf } from './support/behind-gateway.ts';
import { untilClosed } from './support/raw-request.ts';
import {
  assertRefused,
  assertServes,
  ENDLESS,
  eventsOf,
  HELLO,
  idle,
  MODEL,
  post,
  startEndless,
  startServer,
} from './support/server.ts';

/** One request in the engine, one in the queue. */
const TIGHT = { queue: { maxInFlight: 1, maxQueued: 1 } };

/** Of the language model, or of all of them together. */
async function languageStats(server: TroupeServer): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { engine } of nodesOf(server)) {
    const { actors } = await engine.stats();
    const stats = actors.find(({ name }) => name === 'aggregated/0')?.stats ?? {};
    for (const [name, value] of Object.entries(stats)) sums[name] = (sums[name] ?? 0) + Number(value);
  }
  return sums;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function waiting(server: TroupeServer): Promise<number> {
  return JSON.parse(await (await fetch(`${server.url}/health`)).text()).requests.waiting;
}

async function refusesConnections(server: TroupeServer): Promise<boolean> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

/** A chat request written on a socket of its own. */
async function rawChat(server: TroupeServer, body: object): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(chatText(server, body));
  return socket;
}

function chatText(server: TroupeServer, body: object): string {
  const text = JSON.stringify(body);
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: ${new URL(server.url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}

describe('a server under load', () => {
  it('refuses with 429 and Retry-After what its queue has no room for', async () => {
    await using server = await startServer(TIGHT);
    const running = await startEndless(server);
    const queued = post(server, HELLO);
    await until(async () => (await waiting(server)) === 1);
    const response = await post(server, HELLO);
    assert.equal(response.headers.get('retry-after'), '1');
    const { type } = await assertRefused(response, 429, 'queue_full');
    assert.equal(type, 'rate_limit_error');
    running.leave();
    assert.equal((await queued).status, 200);
    await assertServes(server);
  });

  it('gives clients turns', async () => {
    const apiKeys = ['key-of-many', 'key-of-few'];
    await using server = await startServer({ queue: { maxInFlight: 1, maxQueued: 10 }, apiKeys });
    const order: string[] = [];
    const ask = async (key: string, name: string) => {
      const response = await post(server, HELLO, { headers: { authorization: `Bearer ${key}` } });
      assert.equal(response.status, 200);
      order.push(name);
    };
    const running = await startEndless(server, { authorization: 'Bearer key-of-many' });
    const asked: Promise<void>[] = [];
    for (const [key, name] of [
      ['key-of-many', 'many 1'],
      ['key-of-many', 'many 2'],
      ['key-of-many', 'many 3'],
      ['key-of-few', 'few'],
    ] as const) {
      asked.push(ask(key, name));
      await until(async () => (await waiting(server)) === asked.length);
    }
    running.leave();
    await Promise.all(asked);
    assert.deepEqual(order, ['many 1', 'few', 'many 2', 'many 3']);
  });

  it('stops the compute of a client that leaves in the middle of its answer', async () => {
    await using server = await startServer();
    const running = await startEndless(server);
    running.leave();
    await idle(server);
    const { cancelled, finished, running: rows } = await languageStats(server);
    assert.deepEqual({ cancelled, finished, rows }, { cancelled: 1, finished: 0, rows: 0 });
  });

  it('spends no compute on a client that leaves before its first token', async () => {
    await using server = await startServer({ pd: { maxRunning: 1 } });
    const running = [];
    for (const _ of nodesOf(server)) running.push(await startEndless(server));
    const { prefills } = await languageStats(server);
    const second = await rawChat(server, HELLO);
    await until(async () => (await languageStats(server)).waiting === 1);
    second.destroy();
    await until(async () => (await languageStats(server)).waiting === 0);
    for (const one of running) one.leave();
    await idle(server);
    assert.equal((await languageStats(server)).prefills, prefills);
  });

  it('forgets a client that leaves the queue', async () => {
    await using server = await startServer(TIGHT);
    const running = await startEndless(server);
    const second = await rawChat(server, HELLO);
    await until(async () => (await waiting(server)) === 1);
    second.destroy();
    await until(async () => (await waiting(server)) === 0);
    running.leave();
    await idle(server);
    assert.equal((await languageStats(server)).prefills, 1);
  });

  it('ends a request at its deadline, in the queue too', async () => {
    await using server = await startServer(TIGHT);
    const running = await startEndless(server);
    const headers = { 'x-request-timeout-ms': '50' };
    const response = await post(server, HELLO, { headers });
    assert.equal(response.headers.get('x-should-retry'), 'false');
    await assertRefused(response, 504, 'deadline_exceeded');
    running.leave();
    await assertServes(server);
  });

  it('refuses a deadline that is none', async () => {
    await using server = await startServer();
    for (const timeout of ['0', '-1', 'soon', '1e3']) {
      const headers = { 'x-request-timeout-ms': timeout };
      await assertRefused(await post(server, HELLO, { headers }), 400, 'invalid_value');
    }
  });

  it('is not held up by clients that do not read their answers', async () => {
    await using server = await startServer({ queue: { maxInFlight: 2, maxQueued: 4 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 2; i++) {
      const socket = await rawChat(server, { ...ENDLESS, stream: true, max_tokens: 200 });
      socket.pause();
      sockets.push(socket);
    }
    // Their places are free again when the engine is done with them, read or not.
    await until(() => server.engine.health().requestsInFlight === 2);
    await idle(server);
    await assertServes(server);
    for (const socket of sockets) socket.destroy();
  });

  it('keeps a connection alive for one request after the other', async () => {
    await using server = await startServer();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    for (let count = 1; count <= 3; count++) {
      socket.write(requestLines(server, '/live'));
      await until(() => text.split('{"status":"live"}').length === count + 1);
    }
    assert.match(text, /keep-alive/i);
    socket.destroy();
  });

  it('answers 503 while it drains, lets streams end, and then closes', async () => {
    const server = await startServer();
    const running = await startEndless(server, {}, 300);
    const closed = server.close(60_000);
    const response = await post(server, HELLO);
    assert.equal(response.headers.get('retry-after'), '5');
    await assertRefused(response, 503, 'server_draining');
    assert.equal((await fetch(`${server.url}/health`)).status, 503);
    assert.equal((await fetch(`${server.url}/live`)).status, 200);
    const rest = await running.rest();
    assert(rest.endsWith('data: [DONE]\n\n'));
    const last = eventsOf(rest).at(-1) as { choices: { finish_reason: string }[] };
    assert.equal(last.choices[0]?.finish_reason, 'length');
    assert.deepEqual(await closed, { quarantined: [] });
    await assert.rejects(post(server, HELLO));
  });

  it('answers a request that comes on a kept connection after its last stream has ended', async () => {
    const server = await startServer();
    const kept = await rawChat(server, HELLO);
    const [first] = await once(kept, 'data');
    assert.match(String(first), /^HTTP\/1\.1 200 .*\r\nConnection: keep-alive\r\n/s);
    const closed = server.close(60_000);
    await until(async () => await refusesConnections(server));
    kept.write(chatText(server, HELLO));
    const answer = await untilClosed(kept);
    assert.match(answer, /^HTTP\/1\.1 503 .*\r\nconnection: close\r\n/s);
    assert.match(answer, /server_draining/);
    assert.deepEqual(await closed, { quarantined: [] });
  });

  it('takes new connections for as long as clients come, once its last stream has ended, and answers 503', async () => {
    const server = await startServer();
    const closed = server.close(60_000);
    for (let count = 0; count < 5; count++) {
      const answer = await untilClosed(await rawChat(server, HELLO));
      assert.match(answer, /^HTTP\/1\.1 503 .*\r\nconnection: close\r\n/s);
    }
    assert.deepEqual(await closed, { quarantined: [] });
    assert(await refusesConnections(server));
  });

  it('ends though clients do not cease to come', async () => {
    const server = await startServer();
    let isOpen = true;
    const closed = server.close(60_000).finally(() => {
      isOpen = false;
    });
    let refused = 0;
    while (isOpen) {
      await post(server, HELLO).then(
        async (response) => assertRefused(response, 503, 'server_draining'),
        () => {
          refused += 1;
        },
      );
    }
    assert(refused > 0);
    assert.deepEqual(await closed, { quarantined: [] });
  });

  it('closes a kept connection on which nothing comes', async () => {
    const server = await startServer();
    const kept = await rawChat(server, HELLO);
    await once(kept, 'data');
    const closed = server.close(60_000);
    assert.equal(await untilClosed(kept), '');
    assert.deepEqual(await closed, { quarantined: [] });
  });

  it('fails what is left at the end of its drain, and says so in the stream', async () => {
    const server = await startServer(TIGHT);
    const running = await startEndless(server);
    const queued = post(server, HELLO);
    await until(async () => (await waiting(server)) === 1);
    await server.close(1);
    const last = eventsOf(await running.rest()).at(-1) as { error?: { code: string } };
    assert.equal(last.error?.code, 'server_draining');
    await assertRefused(await queued, 503, 'server_draining');
  });

  it('answers 503 until its model is loaded', async () => {
    let url = '';
    const { pino } = await import('pino');
    const probes: Promise<Response>[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => onLine(JSON.parse(line)) });
    const onLine = ({ msg, url: listening }: { msg: string; url: string }) => {
      if (msg !== 'listening') return;
      url = listening;
      probes.push(fetch(`${url}/health`), fetch(`${url}/live`), fetch(`${url}/v1/chat/completions`, chat));
    };
    const chat = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(HELLO),
    };
    await using server = await serve({ model: MODEL, port: 0, drainMs: 0, logger });
    const [health, live, refused] = await Promise.all(probes);
    assert.equal(server.url, url);
    assert(health !== undefined && live !== undefined && refused !== undefined);
    assert.equal(health.status, 503);
    assert.equal(JSON.parse(await health.text()).status, 'starting');
    assert.equal(live.status, 200);
    await assertRefused(refused, 503, 'server_starting');
  });

  it('holds no more bytes of requests than it may', async () => {
    await using server = await startServer({ http: { maxBodyBytes: 4096, maxBufferedBytes: 4096 } });
    const held = await rawChat(server, { ...ENDLESS, stream: true, user: 'x'.repeat(200) });
    await once(held, 'data');
    const padded = { ...HELLO, stop: Array.from({ length: 4 }, () => 'x'.repeat(1000)) };
    const response = await post(server, padded);
    await assertRefused(response, 429, 'buffers_full');
    held.destroy();
    await idle(server);
    assert.equal((await post(server, padded)).status, 200);
  });
});

function requestLines(server: TroupeServer, path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n\r\n`;
}
