import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { fetchImage, type ImageFetchOptions } from '../../../actors/processor/image-fetch.ts';
import { TRUSTED_IMAGES } from '../../../actors/processor/image-policy.ts';
import { code } from '../model/support/model-fixture.ts';

const FIELD = 'messages[0].content[1].image';
const BYTES = Buffer.from([1, 2, 3, 4]);

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/`;
}

const get = (url: string, maxBytes = 100, options: ImageFetchOptions = {}): Promise<Uint8Array> =>
  fetchImage(url, FIELD, maxBytes, options);

test('the body is returned', async (t) => {
  const url = await serve(t, (_, response) => response.end(BYTES));
  assert.deepEqual([...(await get(url))], [...BYTES]);
});

test('redirects are followed, relative ones too', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/image') response.end(BYTES);
    else response.writeHead(302, { location: '/image' }).end('moved');
  });
  assert.deepEqual([...(await get(url))], [...BYTES]);
});

test('too many redirects fail', async (t) => {
  let requests = 0;
  const url = await serve(t, (_, response) => {
    requests++;
    response.writeHead(307, { location: '/' }).end();
  });
  await assert.rejects(get(url), code('IMAGE_FETCH_FAILED'));
  assert.equal(requests, 6);
});

test('a redirect to something other than http fails', async (t) => {
  const url = await serve(t, (_, response) =>
    response.writeHead(302, { location: 'file:///etc/hostname' }).end(),
  );
  await assert.rejects(get(url), code('IMAGE_URL_REFUSED'));
});

test('a status that is no success fails and is named', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(404).end('<html>'));
  await assert.rejects(get(url), (error) => {
    assert.ok(code('IMAGE_FETCH_FAILED')(error));
    assert.match(String(error), /404/);
    return true;
  });
});

test('a refused connection fails', async (t) => {
  const url = await serve(t, () => {});
  const closed = url.replace(/:\d+/, ':1');
  await assert.rejects(get(closed), code('IMAGE_FETCH_FAILED'));
});

test('an announced size over the limit is refused', async (t) => {
  const url = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-length': 1_000_000 }).write('x'),
  );
  await assert.rejects(get(url, 100), code('IMAGE_TOO_LARGE_BYTES'));
});

test('a body that grows over the limit is cut off', async (t) => {
  let closed: Promise<unknown> | undefined;
  const url = await serve(t, (_, response) => {
    closed = once(response, 'close');
    const more = (): void => {
      while (response.write(Buffer.alloc(1_000)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(get(url, 10_000), code('IMAGE_TOO_LARGE_BYTES'));
  await closed;
});

test('a server that sends nothing runs into the time limit', async (t) => {
  const url = await serve(t, () => {});
  await assert.rejects(get(url, 100, { policy: { ...TRUSTED_IMAGES, fetchTimeoutMs: 30 } }), (error) => {
    assert.ok(code('IMAGE_FETCH_FAILED')(error));
    assert.match(String(error), /too long/);
    return true;
  });
});

test('a body that never ends runs into the time limit', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(200).write('x'));
  await assert.rejects(
    get(url, 100, { policy: { ...TRUSTED_IMAGES, fetchTimeoutMs: 100 } }),
    code('IMAGE_FETCH_FAILED'),
  );
});

test('a connection that breaks off fails', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy());
  });
  await assert.rejects(get(url), code('IMAGE_FETCH_FAILED'));
});

test('an aborted caller gets the reason of its abort', async (t) => {
  const controller = new AbortController();
  const url = await serve(t, () => controller.abort(new Error('gone')));
  await assert.rejects(get(url, 100, { signal: controller.signal }), /gone/);
});
