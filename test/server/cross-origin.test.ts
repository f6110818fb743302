import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { serverConfig } from '../../src/server/server-config.ts';
import { rawRequest } from './support/raw-request.ts';
import { assertRefused, eventsOf, HELLO, post, startServer } from './support/server.ts';

const KEY = 'key-of-the-page';
const PAGE = 'https://app.example';
const EXTENSION = 'chrome-extension://abcdefgh';
const authorization = `Bearer ${KEY}`;

/** As a browser asks before it sends what a page wants to send. */
function preflight(server: TroupeServer, origin: string, more: Record<string, string> = {}) {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
      ...more,
    },
  });
}

describe('a server that no page may call', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  it('says so, and which setting would allow it', async () => {
    const response = await preflight(server, PAGE);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    const { message } = await assertRefused(response, 403, 'origin_not_allowed');
    assert.match(message, /--allowed-origin.*http\.allowedOrigins/);
  });

  it('is no other to whom no page sends', async () => {
    const response = await post(server, HELLO);
    assert.equal(response.status, 200);
    for (const name of response.headers.keys()) assert(!name.startsWith('access-control-'), name);
    assert.equal(response.headers.get('vary'), null);
  });

  it('tells a load balancer that it is there', async () => {
    for (const path of ['/', '/health', '/v1/models', '/no/such/path']) {
      const response = await fetch(server.url + path, { method: 'OPTIONS' });
      assert.deepEqual([response.status, await response.text()], [204, '']);
    }
  });
});

describe('a server that the pages of two origins may call', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ apiKeys: [KEY], http: { allowedOrigins: [PAGE, EXTENSION] } });
  });
  after(() => server.close());

  const assertReadable = ({ headers }: Response, origin: string) => {
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.equal(headers.get('vary'), 'Origin');
    assert.match(headers.get('access-control-expose-headers') ?? '', /x-request-id/);
    assert.equal(headers.get('access-control-allow-credentials'), null);
  };

  it('lets their browsers send, without a key for the question', async () => {
    for (const origin of [PAGE, EXTENSION]) {
      const response = await preflight(server, origin);
      assert.equal(response.status, 204);
      assertReadable(response, origin);
      const { headers } = response;
      assert.match(headers.get('access-control-allow-methods') ?? '', /\bPOST\b/);
      assert.equal(
        headers.get('access-control-allow-headers'),
        'authorization,content-type,x-stainless-lang',
      );
      assert.equal(headers.get('access-control-allow-private-network'), null);
    }
  });

  it('repeats nothing to them but names of headers', async () => {
    for (const wanted of ['x-a;b', 'x-a: 1', '"', 'é', ','.repeat(9)]) {
      const response = await preflight(server, PAGE, { 'access-control-request-headers': wanted });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get('access-control-allow-headers'), null);
    }
  });

  it('lets a page from elsewhere reach this machine, if its browser asks', async () => {
    const response = await preflight(server, PAGE, { 'access-control-request-private-network': 'true' });
    assert.equal(response.headers.get('access-control-allow-private-network'), 'true');
  });

  it('lets them read answers, whole and streamed', async () => {
    const headers = { origin: PAGE, authorization };
    const whole = await post(server, HELLO, { headers });
    assert.equal(whole.status, 200);
    assertReadable(whole, PAGE);
    const streamed = await post(server, { ...HELLO, stream: true }, { headers });
    assertReadable(streamed, PAGE);
    assert(eventsOf(await streamed.text()).length > 1);
    assertReadable(await fetch(`${server.url}/v1/models`, { headers }), PAGE);
    assertReadable(await fetch(`${server.url}/health`, { headers }), PAGE);
  });

  it('lets them read errors: of the key, of a field, of a body, of a route', async () => {
    const headers = { origin: PAGE, authorization };
    for (const [response, status, code] of [
      [await post(server, HELLO, { headers: { origin: PAGE } }), 401, 'invalid_api_key'],
      [await post(server, { ...HELLO, verbosity: 'low' }, { headers }), 400, 'unsupported_value'],
      [await post(server, '{', { headers }), 400, 'invalid_json'],
      [await post(server, {}, { headers, path: '/v1/none' }), 404, 'not_found'],
    ] as const) {
      assertReadable(response, PAGE);
      await assertRefused(response, status, code);
    }
  });

  it('lets no other page, however alike its origin is', async () => {
    for (const origin of [
      'https://app.example.evil.test',
      'https://evil.test',
      'http://app.example',
      'https://app.example:8443',
      'null',
    ]) {
      const asked = await preflight(server, origin);
      assert.equal(asked.headers.get('access-control-allow-origin'), null);
      await assertRefused(asked, 403, 'origin_not_allowed');
      const response = await post(server, HELLO, { headers: { origin, authorization } });
      assert.equal(response.headers.get('access-control-allow-origin'), null);
      assert.equal(response.headers.get('vary'), 'Origin');
    }
  });

  it('still answers to its own name only', async () => {
    const head = `OPTIONS /v1/models HTTP/1.1\r\nHost: evil.test\r\nOrigin: ${PAGE}\r\n`;
    const answer = await rawRequest(server, `${head}Connection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 403 .*host_not_allowed/s);
  });
});

describe('the setting of allowed origins', () => {
  const origins = (...allowedOrigins: string[]) =>
    serverConfig({ http: { allowedOrigins } }).http.allowedOrigins;

  it('takes an origin as browsers write it, and as people do', () => {
    assert.deepEqual(origins('HTTPS://App.Example:443/', 'http://localhost:80', 'http://[::1]:3000'), [
      'https://app.example',
      'http://localhost',
      'http://[::1]:3000',
    ]);
    assert.deepEqual(origins(EXTENSION, 'tauri://localhost', 'app://obsidian.md'), [
      EXTENSION,
      'tauri://localhost',
      'app://obsidian.md',
    ]);
  });

  for (const wrong of [
    '*',
    'null',
    'app.example',
    'https://app.example/page',
    'https://*.example',
    'https://a@b',
    '',
  ]) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => origins(wrong), { code: 'INVALID_OPTION', message: /origin/i });
    });
  }
});
