import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  brotliCompressSync,
  constants,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import { openSocket, untilClosed } from './support/raw-request.ts';
import {
  askAbout,
  assertRefused,
  assertServes,
  ENDLESS,
  HELLO,
  idle,
  post,
  startServer,
} from './support/server.ts';

const MIB = 1024 * 1024;
const LIMIT = MIB;
const BUDGET = 2 * MIB;

const question = Buffer.from(JSON.stringify({ messages: askAbout(33) }));
/** Valid JSON to its end, so that nothing but its size can be refused. */
const large = Buffer.from(`{${' '.repeat(64 * MIB)}${JSON.stringify(HELLO).slice(1)}`);
const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

function send(
  server: TroupeServer,
  body: Buffer<ArrayBuffer>,
  encoding: string,
  streamed = false,
): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
  const url = `${server.url}/v1/chat/completions`;
  if (!streamed) return fetch(url, { method: 'POST', headers, body });
  const stream = new Blob([body]).stream();
  return fetch(url, { method: 'POST', headers, body: stream, duplex: 'half' } as RequestInit);
}

describe('a compressed request body', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ http: { maxBodyBytes: LIMIT, maxBufferedBytes: BUDGET } });
  });
  afterEach(() => assertServes(server));
  after(() => server.close());

  for (const [encoding, compress, compressLarge] of [
    ['gzip', gzipSync, gzipSync],
    ['x-gzip', gzipSync, gzipSync],
    ['deflate', deflateSync, deflateSync],
    ['br', brotliCompressSync, (body: Buffer) => brotliCompressSync(body, fast)],
    ['zstd', zstdCompressSync, zstdCompressSync],
  ] as const) {
    it(`is read from ${encoding}, of a length that is said or not`, async () => {
      for (const streamed of [false, true]) {
        const response = await send(
          server,
          Buffer.from(compress(question)),
          encoding.toUpperCase(),
          streamed,
        );
        const { choices } = JSON.parse(await response.text());
        assert.equal(choices[0].message.content, golden(33).greedy.trim());
      }
    });

    it(`is inflated from ${encoding} no further than a body may be long`, async () => {
      const bomb = Buffer.from(compressLarge(large));
      assert(bomb.length < LIMIT / 8);
      for (const streamed of [false, true]) {
        await assertRefused(await send(server, bomb, encoding, streamed), 413, 'body_too_large');
      }
    });

    it(`is refused when it is no ${encoding}, or ends too early`, async () => {
      for (const body of [question, Buffer.from(compress(question)).subarray(0, 60), Buffer.alloc(0)]) {
        const { param } = await assertRefused(await send(server, body, encoding), 400, 'invalid_encoding');
        assert.equal(param, 'content-encoding');
      }
    });
  }

  it('may have what follows its end, which is dropped', async () => {
    const body = Buffer.concat([gzipSync(question), Buffer.alloc(100)]);
    assert.equal((await send(server, body, 'gzip')).status, 200);
  });

  it('is refused when it would be many bytes for few', async () => {
    // Empty members, each of 20 bytes: nothing comes out, however many come in.
    const members = Buffer.concat(Array(LIMIT / 16).fill(gzipSync('')));
    await assertRefused(await send(server, members, 'gzip', true), 413, 'body_too_large');
  });

  it('is refused when it wants more memory to be inflated than HTTP allows', async () => {
    for (const [windowLog, status] of [
      [23, 200],
      [24, 400],
    ] as const) {
      // In a stream, whose length is not known when its head is written.
      const zstd = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } });
      zstd.write(question);
      zstd.end();
      const response = await send(server, await buffer(zstd), 'zstd');
      if (status === 400) await assertRefused(response, status, 'invalid_encoding');
      else assert.equal(response.status, status, await response.text());
    }
  });

  it('is refused when its encoding is not known, or one of several', async () => {
    for (const encoding of ['compress', 'gzip, gzip', 'gzip;q=1', 'constructor', 'bzip2']) {
      await assertRefused(await send(server, gzipSync(question), encoding), 415, 'unsupported_encoding');
    }
    await assertRefused(await send(server, deflateRawSync(question), 'deflate'), 400, 'invalid_encoding');
  });

  it('is a body like any other when it is encoded as itself', async () => {
    assert.equal((await send(server, question, 'identity')).status, 200);
    assert.equal((await send(server, question, '')).status, 200);
  });

  it('takes none of the budget for what it may become', async () => {
    const { host } = new URL(server.url);
    const body = brotliCompressSync(JSON.stringify({ ...HELLO, stream: true }));
    const sockets = await Promise.all(Array.from({ length: 4 }, () => openSocket(server)));
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      `Host: ${host}`,
      'Content-Type: application/json',
      'Content-Encoding: br',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ].join('\r\n');
    for (const socket of sockets) socket.write(`${head}\r\n\r\n`);
    assert.equal((await send(server, gzipSync(question), 'gzip')).status, 200);
    for (const socket of sockets) socket.write(body);
    for (const socket of sockets) assert.match(await untilClosed(socket), /^HTTP\/1.1 200 /);
  });

  it('takes of the budget what has come out of it, while the rest is still to come', async () => {
    const json = Buffer.alloc(BUDGET / 4, ' ');
    const socket = await openSocket(server);
    const { host } = new URL(server.url);
    const gzip = createGzip();
    gzip.write(json);
    await new Promise<void>((resolve) => gzip.flush(resolve));
    const piece: unknown = gzip.read();
    assert(Buffer.isBuffer(piece));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Encoding: gzip`;
    socket.write(`${head}\r\nContent-Length: 100000\r\n\r\n`);
    socket.write(piece);
    while ((await metric(server, 'buffered_bytes')) < json.length);
    socket.destroy();
    while ((await metric(server, 'buffered_bytes')) > 0);
    gzip.destroy();
  });

  it('is refused when what comes out of it is more than its client may have', async () => {
    const body = Buffer.from(gzipSync(Buffer.alloc(LIMIT - 1, ' ')));
    const first = await post(server, { ...ENDLESS, stream: true, metadata: { text: 'a'.repeat(LIMIT / 2) } });
    const reader = first.body?.getReader();
    await reader?.read();
    await assertRefused(await send(server, body, 'gzip'), 429, 'buffers_full');
    await reader?.cancel();
    await idle(server);
  });

  it('takes as much of the budget as it is, once it is there', async () => {
    const json = JSON.stringify({ ...ENDLESS, stream: true });
    const response = await send(server, Buffer.from(brotliCompressSync(json)), 'br');
    const reader = response.body?.getReader();
    await reader?.read();
    assert.equal(await metric(server, 'buffered_bytes'), json.length);
    await reader?.cancel();
    await idle(server);
  });
});

async function metric(server: TroupeServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^troupe_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}
