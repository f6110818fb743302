import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Agent } from 'undici';
import { type ImagePolicy, TRUSTED_IMAGES } from '../../../actors/image-policy.ts';
import { guardedConnector } from '../../../actors/processor/guarded-connector.ts';
import { fetchImage } from '../../../actors/processor/image-fetch.ts';
import { code } from '../model/support/model-fixture.ts';

const GUARDED: ImagePolicy = { ...TRUSTED_IMAGES, privateAddresses: false };
const refused = code('IMAGE_URL_REFUSED');

const get = (url: string, policy: ImagePolicy, dispatcher?: Agent): Promise<Uint8Array> =>
  fetchImage(url, 'image', 1_000, { policy, ...(dispatcher === undefined ? {} : { dispatcher }) });

async function serve(t: TestContext, host: string, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('an address of this machine is refused in every notation, before a connection is made', async (t) => {
  let hits = 0;
  const port = await serve(t, '127.0.0.1', (_, response) => {
    hits += 1;
    response.end('x');
  });
  for (const host of [
    ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '0'],
    ...[
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:7f00:0001]',
      '[::127.0.0.1]',
    ],
    ...['localhost', 'LOCALHOST', '127.0.0.1.', '①②⑦.⓪.⓪.①', '%31%32%37.0.0.1'],
  ]) {
    await assert.rejects(get(`http://${host}:${port}/`, GUARDED), refused, host);
  }
  assert.equal(hits, 0);
});

test('a redirect to such an address is refused', async (t) => {
  let hits = 0;
  const inner = await serve(t, '127.0.0.1', () => {
    hits += 1;
  });
  const outer = await serve(t, '127.0.0.2', (_, response) => {
    response.writeHead(302, { location: `http://2130706433:${inner}/` }).end();
  });
  const connect = guardedConnector({ timeoutMs: 1_000, isAllowed: (address) => address === '127.0.0.2' });
  await assert.rejects(get(`http://127.0.0.2:${outer}/`, GUARDED, new Agent({ connect })), refused);
  assert.equal(hits, 0);
});

test('a name that answers with a private address when it is looked up again is refused', async (t) => {
  const hits: string[] = [];
  const port = await serve(t, '127.0.0.1', (request) => hits.push(request.url ?? ''));
  const publicPort = await serve(t, '127.0.0.2', (_, response) => {
    response.writeHead(302, { location: `http://rebinding.test:${port}/secret` }).end();
  });
  const answers = ['127.0.0.2', '127.0.0.1'];
  const connect = guardedConnector({
    timeoutMs: 1_000,
    isAllowed: (address) => address === '127.0.0.2',
    resolve: (_hostname, _options, callback) =>
      callback(null, [{ address: answers.shift() ?? '', family: 4 }] satisfies LookupAddress[]),
  });
  const first = `http://rebinding.test:${publicPort}/`;
  await assert.rejects(get(first, GUARDED, new Agent({ connect })), refused);
  assert.deepEqual(answers, []);
  assert.deepEqual(hits, []);
});

test('a name with one address that is not public among others is refused', async () => {
  const connect = guardedConnector({
    timeoutMs: 1_000,
    resolve: (_hostname, _options, callback) =>
      callback(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]),
  });
  await assert.rejects(get('http://mixed.test/', GUARDED, new Agent({ connect })), refused);
});

test('the address that was connected to is checked once more', async (t) => {
  let hits = 0;
  const port = await serve(t, '127.0.0.1', () => {
    hits += 1;
  });
  let checks = 0;
  const connect = guardedConnector({
    timeoutMs: 1_000,
    isAllowed: () => checks++ === 0,
    resolve: (_hostname, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  await assert.rejects(get(`http://odd.test:${port}/`, GUARDED, new Agent({ connect })), refused);
  assert.equal(checks, 2);
  assert.equal(hits, 0);
});

test('http is refused where only https is allowed, also as a redirect', async (t) => {
  const strict = { ...TRUSTED_IMAGES, plainHttp: false };
  const port = await serve(t, '127.0.0.1', (_, response) => response.end('x'));
  await assert.rejects(get(`http://127.0.0.1:${port}/`, strict), refused);
});

test('only hosts on the list are fetched from', async (t) => {
  const port = await serve(t, '127.0.0.1', (_, response) => response.end('x'));
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await get(url, { ...TRUSTED_IMAGES, hosts: ['127.0.0.1'] })).length, 1);
  for (const hosts of [[], ['example.org'], ['*.0.0.1.example.org']]) {
    await assert.rejects(get(url, { ...TRUSTED_IMAGES, hosts }), refused);
  }
});

test('a pattern covers the hosts below it and no other', async () => {
  const policy = { ...GUARDED, hosts: ['*.example.org'] };
  for (const host of ['example.org', 'badexample.org', 'example.org.evil.test', 'x.example.com']) {
    await assert.rejects(get(`https://${host}/`, policy), /not on the list/, host);
  }
});

test('credentials in a URL are refused', async () => {
  await assert.rejects(get('https://user:secret@example.org/', GUARDED), refused);
});

test('a URL cannot carry header lines', async (t) => {
  const headers: string[] = [];
  const port = await serve(t, '127.0.0.1', (request, response) => {
    headers.push(...request.rawHeaders.map((header) => header.toLowerCase()));
    response.end('x');
  });
  await get(`http://127.0.0.1:${port}/a\r\nx-injected: yes\r\n`, TRUSTED_IMAGES);
  await get(`http://127.0.0.1:${port}/%0d%0ax-injected:%20yes`, TRUSTED_IMAGES);
  assert(!headers.includes('x-injected'));
});
