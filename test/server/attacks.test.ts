/** The table of refused attacks of docs/server.md: the server is up and answers after each of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { TroupeServer } from '../../src/server/serve.ts';
import { pictureBytes, pixelBomb, truncatedJpeg } from '../src/cli/support/pictures.ts';
import { openSocket, rawRequest, untilClosed } from './support/raw-request.ts';
import { askAboutUrl, assertRefused, assertServes, HELLO, post, startServer } from './support/server.ts';

const png = (type: string) => `data:${type};base64,${pictureBytes().toString('base64')}`;
const dataUrlOf = (bytes: Uint8Array | string, type = 'image/png') =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;

describe('a server that fetches images from anywhere public', () => {
  let server: TroupeServer;
  /** What must not be reached. */
  let inner: Server;
  let innerPort: number;
  let hits = 0;

  before(async () => {
    server = await startServer({ images: { urls: 'http', fetchTimeoutMs: 2_000 } });
    inner = createServer((_request, response) => {
      hits += 1;
      response.end(pictureBytes());
    }).listen(0, '127.0.0.1');
    await once(inner, 'listening');
    const address = inner.address();
    assert(typeof address === 'object' && address !== null);
    innerPort = address.port;
  });
  afterEach(async () => {
    assert.equal(hits, 0);
    await assertServes(server);
  });
  after(async () => {
    inner.close();
    await server.close();
  });

  for (const [notation, host] of [
    ['dotted', '127.0.0.1'],
    ['short', '127.1'],
    ['decimal', '2130706433'],
    ['octal', '0177.0.0.01'],
    ['octal, whole', '017700000001'],
    ['hexadecimal', '0x7f000001'],
    ['hexadecimal, dotted', '0x7f.0x0.0x0.0x1'],
    ['full-width digits', '１２７.0.0.1'],
    ['percent-encoded', '%31%32%37.0.0.1'],
    ['IPv6', '[::1]'],
    ['IPv6-mapped', '[::ffff:127.0.0.1]'],
    ['IPv6-mapped, hexadecimal', '[::ffff:7f00:1]'],
    ['IPv6 with IPv4 at its end', '[::127.0.0.1]'],
    ['NAT64', '[64:ff9b::7f00:1]'],
    ['6to4', '[2002:7f00:1::]'],
    ['unspecified', '0.0.0.0'],
    ['unspecified, short', '0'],
    ['link-local, the metadata service', '169.254.169.254'],
    ['private', '10.0.0.1'],
    ['by name', 'localhost'],
  ] as const) {
    it(`refuses an address of the inner network, ${notation}`, async () => {
      for (const scheme of ['http', 'https']) {
        const response = await post(server, askAboutUrl(`${scheme}://${host}:${innerPort}/`));
        const { message } = await assertRefused(response, 400, 'image_url_refused');
        assert(host === '127.0.0.1' || !message.includes('127.0.0.1') || host.includes('127.0.0.1'), message);
      }
    });
  }

  it('refuses other schemes', async () => {
    for (const url of [
      'ftp://127.0.0.1/x',
      'gopher://127.0.0.1/',
      'javascript:1',
      'blob:x',
      '/etc/passwd',
      'x.png',
    ]) {
      await assertRefused(await post(server, askAboutUrl(url)), 400, 'image_source_unsupported');
    }
  });

  it('refuses files', async () => {
    for (const url of ['file:///etc/passwd', 'FILE:/etc/passwd', 'file://localhost/etc/passwd']) {
      const { message } = await assertRefused(
        await post(server, askAboutUrl(url)),
        400,
        'image_source_unsupported',
      );
      assert(!message.includes('root:'));
    }
  });

  it('refuses credentials in a URL', async () => {
    await assertRefused(
      await post(server, askAboutUrl('https://a:b@example.org/')),
      400,
      'image_url_refused',
    );
  });
});

describe('a server with its defaults', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ http: { maxBodyBytes: 1024 * 1024, receiveTimeoutMs: 500 } });
  });
  afterEach(() => assertServes(server));
  after(() => server.close());

  it('fetches nothing over plain http', async () => {
    await assertRefused(await post(server, askAboutUrl('http://example.org/')), 400, 'image_url_refused');
  });

  it('refuses a pixel bomb by its header', async () => {
    const response = await post(server, askAboutUrl(dataUrlOf(pixelBomb())));
    await assertRefused(response, 400, 'image_too_large_pixels');
  });

  it('refuses images that do not decode, in words that name nothing of the inside', async () => {
    for (const bytes of [
      await truncatedJpeg(),
      pictureBytes().subarray(0, 60),
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ]) {
      const { message } = await assertRefused(
        await post(server, askAboutUrl(dataUrlOf(bytes))),
        400,
        'image_corrupt',
      );
      assert.doesNotMatch(message, /vips|libpng|libspng|\.c\b|\/|0x[0-9a-f]{6}/i);
    }
  });

  it('refuses SVG, with external references or without, whatever it is called', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
    const doctype = `<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>${svg}`;
    for (const [bytes, type] of [
      [svg, 'image/svg+xml'],
      [svg, 'image/png'],
      [doctype, 'image/svg+xml'],
      [gzipSync(svg), 'image/svg+xml'],
    ] as const) {
      const response = await post(server, askAboutUrl(dataUrlOf(bytes, type)));
      await assertRefused(response, 400, 'image_format_unsupported');
    }
  });

  it('refuses a data URL of a wrong type', async () => {
    for (const type of [
      'text/html',
      'application/javascript',
      'application/pdf',
      'text/plain;charset=utf-8',
    ]) {
      await assertRefused(await post(server, askAboutUrl(png(type))), 400, 'image_data_url_invalid');
    }
    const html = dataUrlOf('<script>1</script>', 'image/png');
    await assertRefused(await post(server, askAboutUrl(html)), 400, 'image_format_unsupported');
    await assertRefused(
      await post(server, askAboutUrl('data:image/png;base64,***')),
      400,
      'image_data_url_invalid',
    );
  });

  it('takes a special token in a text for text', async () => {
    const count = async (content: string) => {
      const body = { messages: [{ role: 'user', content }], max_tokens: 1 };
      const { usage } = JSON.parse(await (await post(server, body)).text());
      return [usage.prompt_tokens_details.image_tokens, usage.prompt_tokens];
    };
    const [images, tokens = 0] = await count('What <image> is <end_of_utterance> this?');
    const [, plain = 0] = await count('What  is  this?');
    assert.equal(images, 0);
    assert(tokens > plain + 8); // as text, each takes many tokens; as control tokens, one
  });

  it('refuses a body that is announced too large, without reading it', async () => {
    const { host } = new URL(server.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    const answer = await rawRequest(server, `${head}Content-Length: 99999999999\r\n\r\n{`);
    assert.match(answer, /^HTTP\/1.1 413 /);
  });

  it('cuts off a body that does not end', async () => {
    const { host } = new URL(server.url);
    const socket = await openSocket(server);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const answer = untilClosed(socket);
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    while (socket.writable) {
      if (!socket.write(chunk)) await once(socket, 'drain').catch(() => undefined);
    }
    // A client that goes on sending may lose the answer to the connection's end.
    assert.match(await answer, /^(HTTP\/1.1 413 |$)/);
  });

  it('gives up on a client that sends its head or its body too slowly', async () => {
    const { host } = new URL(server.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    for (const start of [head, `${head}Content-Length: 100\r\n\r\n`]) {
      const socket = await openSocket(server);
      socket.write(start);
      const drip = setInterval(() => socket.write('x'), 100);
      const answer = await untilClosed(socket);
      clearInterval(drip);
      assert.match(answer, /^HTTP\/1.1 408 /);
    }
  });

  it('refuses what is no HTTP, and heads that are too long', async () => {
    assert.match(await rawRequest(server, 'hello\r\n\r\n'), /^HTTP\/1.1 400 /);
    const { host } = new URL(server.url);
    const long = `GET /live HTTP/1.1\r\nHost: ${host}\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`;
    assert.match(await rawRequest(server, long), /^HTTP\/1.1 431 /);
  });

  it('puts nothing of a client into headers that could become another', async () => {
    const { host } = new URL(server.url);
    const ids = ['a\rX-Injected: 1', 'a"b', 'a b', 'x'.repeat(200), 'é'];
    for (const id of ids) {
      const text = `GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nX-Request-Id: ${id}\r\n\r\n`;
      assert.doesNotMatch(await rawRequest(server, text), /x-injected|x-request-id: (?![-\da-f]{36}\r)/i);
    }
    const model = 'x\r\nX-Injected: 1';
    const response = await post(server, { ...HELLO, model });
    assert.equal(response.headers.get('x-injected'), null);
    await assertRefused(response, 404, 'model_not_found');
    await assertRefused(
      await post(server, askAboutUrl('https://x\r\nX-Injected: 1@example.org/')),
      400,
      'image_url_refused',
    );
  });

  it('refuses two lengths, which could hide a second request', async () => {
    const { host } = new URL(server.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    const answer = await rawRequest(
      server,
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 400 /);
    assert.equal(answer.split('HTTP/1.1').length, 2);
  });

  it('refuses a history that is too long, in tokens or in messages', async () => {
    const turns = Array.from({ length: 4000 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: 'And?',
    }));
    const long = { messages: [...turns, { role: 'user', content: 'And?' }] };
    await assertRefused(await post(server, long), 400, 'context_length_exceeded');
    const many = { messages: Array.from({ length: 20_000 }, () => ({ role: 'user', content: 'a' })) };
    await assertRefused(await post(server, many), 400, 'too_many_messages');
    const wide = { messages: [{ role: 'user', content: 'a '.repeat(400_000) }] };
    await assertRefused(await post(server, wide), 400, 'context_length_exceeded');
  });

  it('takes no template from a request', async () => {
    for (const name of ['chat_template', 'chat_template_kwargs', 'add_generation_prompt']) {
      await assertRefused(await post(server, { ...HELLO, [name]: '{{ 1 }}' }), 400, 'unknown_parameter');
    }
    const content = "{{ ''.constructor.constructor('return process')() }}{% for x in y %}";
    assert.equal((await post(server, { messages: [{ role: 'user', content }], max_tokens: 1 })).status, 200);
  });

  it('refuses objects that would change the prototype', async () => {
    const body = '{"messages":[{"role":"user","content":"Hi"}],"__proto__":{"n":3}}';
    await assertRefused(await post(server, body), 400, 'invalid_json');
    assert.equal(({} as { n?: number }).n, undefined);
  });

  it('answers to no other name than its own, which a rebound page would call it by', async () => {
    for (const host of ['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '']) {
      const text = `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      assert.match(await rawRequest(server, text), /^HTTP\/1.1 403 .*host_not_allowed/s);
    }
  });

  it('allows no page of another origin to read its answers', async () => {
    const headers = { origin: 'https://evil.test' };
    const response = await post(server, HELLO, { headers });
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    const preflight = await fetch(`${server.url}/v1/chat/completions`, { method: 'OPTIONS', headers });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
  });
});

describe('a server with keys', () => {
  const KEY = 'the-key-of-this-test';
  const authorization = `Bearer ${KEY}`;
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ apiKeys: ['another-key', KEY] });
  });
  afterEach(() => assertServes(server, { authorization }));
  after(() => server.close());

  it('refuses a wrong key, before the body is read', async () => {
    const { host } = new URL(server.url);
    for (const given of [
      'Bearer wrong-key',
      `Bearer ${KEY}x`,
      `Bearer ${KEY.slice(1)}`,
      `Basic ${KEY}`,
      KEY,
      'Bearer ',
    ]) {
      const headers = { authorization: given };
      await assertRefused(await post(server, HELLO, { headers }), 401, 'invalid_api_key');
      await assertRefused(await fetch(`${server.url}/v1/models`, { headers }), 401, 'invalid_api_key');
    }
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
    const socket = await openSocket(server);
    socket.write(`${head}Content-Length: 1000000\r\nConnection: close\r\n\r\n`);
    const [answer] = await once(socket.setEncoding('utf8'), 'data');
    socket.destroy();
    assert.match(answer, /^HTTP\/1.1 401 /);
  });

  it('asks for the key however the path is written', async () => {
    for (const path of ['/v1/models/', '//v1//models', '/v1/models/x/', '/v1/models?x']) {
      await assertRefused(await fetch(server.url + path), 401, 'invalid_api_key');
      assert.equal((await fetch(server.url + path, { method: 'HEAD' })).status, 401);
    }
    for (const path of ['/v1/chat/completions/', '//v1/chat/completions', '/admin/clear_kv_blocks/']) {
      await assertRefused(await post(server, HELLO, { path }), 401, 'invalid_api_key');
    }
  });

  it('clears caches for who has a key only', async () => {
    const path = '/admin/clear_kv_blocks';
    await assertRefused(await post(server, {}, { path }), 401, 'invalid_api_key');
    const response = await post(server, {}, { path, headers: { authorization } });
    const body = JSON.parse(await response.text());
    assert.equal(body.status, 'success');
    // A gateway says it by model, and names the node.
    assert.match(JSON.stringify(body.cleared), /aggregated\/0":/);
  });
});

describe('a server with a folder of images', () => {
  let server: TroupeServer;
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'troupe-folder-'));
    await mkdir(join(root, 'allowed'));
    await writeFile(join(root, 'allowed', 'picture.png'), pictureBytes());
    await writeFile(join(root, 'secret.png'), pictureBytes());
    await symlink(join(root, 'secret.png'), join(root, 'allowed', 'link.png'));
    server = await startServer({ images: { files: [join(root, 'allowed')] } });
  });
  afterEach(() => assertServes(server));
  after(async () => {
    await server.close();
    await rm(root, { recursive: true });
  });

  it('reads a file in it', async () => {
    const url = pathToFileURL(join(root, 'allowed', 'picture.png')).href;
    assert.equal((await post(server, askAboutUrl(url))).status, 200);
  });

  it('refuses every way out of it', async () => {
    const allowed = pathToFileURL(join(root, 'allowed')).href;
    for (const path of ['/../secret.png', '/%2e%2e/secret.png', '/link.png', '/./../secret.png']) {
      await assertRefused(await post(server, askAboutUrl(allowed + path)), 400, 'image_file_refused');
    }
    await assertRefused(await post(server, askAboutUrl('file:///etc/passwd')), 400, 'image_file_refused');
    await assertRefused(
      await post(server, askAboutUrl(`${allowed}/..%2fsecret.png`)),
      400,
      'image_unreadable',
    );
  });
});
