import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { TRUSTED_IMAGES } from '../../../actors/image-policy.ts';
import { fetchImage, type ImageFetchOptions } from '../../../actors/processor/image-fetch.ts';
import { imagePolicy } from '../../../src/config/image-options.ts';
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

for (const [encoding, encode] of [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity', (bytes: Buffer) => bytes],
  ['gzip, br', (bytes: Buffer) => brotliCompressSync(gzipSync(bytes))],
] as const) {
  test(`a body that comes as ${encoding} unasked is unpacked (${encode.name})`, async (t) => {
    let asked: string | undefined;
    const url = await serve(t, (request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-encoding': encoding }).end(encode(BYTES));
    });
    assert.deepEqual([...(await get(url))], [...BYTES]);
    assert.equal(asked, 'identity');
  });

  if (encoding === 'identity') continue;
  test(`what unpacks from ${encoding} keeps the limit (${encode.name})`, async (t) => {
    const bomb = encode(Buffer.alloc(1_000_000));
    const url = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
    });
    await assert.rejects(get(url, 100_000), code('IMAGE_TOO_LARGE_BYTES'));
  });
}

test('an encoding that nobody knows, and too many of them, fail by name', async (t) => {
  for (const encoding of ['compress', 'gzip, gzip, gzip']) {
    const url = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(BYTES);
    });
    await assert.rejects(get(url), (error) => {
      assert.ok(code('IMAGE_FETCH_FAILED')(error));
      assert.match(String(error), /unknown encoding/);
      return true;
    });
  }
});

test('an encoded body that is cut off fails', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(BYTES).subarray(0, 12));
  });
  await assert.rejects(get(url), code('IMAGE_FETCH_FAILED'));
});

test('hosts are told who asks', async (t) => {
  const url = await serve(t, (request, response) => response.end(request.headers['user-agent']));
  const policy = { ...TRUSTED_IMAGES, userAgent: 'pictures/1.0 (someone@example.org)' };
  assert.equal(Buffer.from(await get(url, 100, { policy })).toString(), policy.userAgent);
  assert.match(imagePolicy().userAgent, /^troupe\/\d+\.\d+\.\d+/);
});

test('a proxy fetches, and scheme and host are still checked', async (t) => {
  const seen: string[] = [];
  const proxy = await serve(t, (request, response) => {
    seen.push(String(request.url));
    response.end(BYTES);
  });
  const policy = { ...TRUSTED_IMAGES, privateAddresses: false, proxy, hosts: ['pictures.test'] };
  assert.deepEqual([...(await get('http://pictures.test/a.png', 100, { policy }))], [...BYTES]);
  assert.equal(seen.length, 1);
  await assert.rejects(get('http://elsewhere.test/', 100, { policy }), code('IMAGE_URL_REFUSED'));
  const strict = { ...policy, plainHttp: false };
  await assert.rejects(get('http://pictures.test/', 100, { policy: strict }), code('IMAGE_URL_REFUSED'));
  assert.equal(seen.length, 1);
});

for (const host of ['127.0.0.1', '2130706433', '[::1]', '10.0.0.1', 'localhost', 'localhost.']) {
  test(`a proxy is not asked for ${host}`, async (t) => {
    let hits = 0;
    const proxy = await serve(t, (_, response) => {
      hits += 1;
      response.end(BYTES);
    });
    const policy = { ...TRUSTED_IMAGES, privateAddresses: false, proxy };
    await assert.rejects(get(`http://${host}/`, 100, { policy }), code('IMAGE_URL_REFUSED'));
    assert.equal(hits, 0);
  });
}

test('the time limit stands still while there is no room for the image', async (t) => {
  const url = await serve(t, (_, response) => response.end(BYTES));
  const policy = { ...TRUSTED_IMAGES, fetchTimeoutMs: 1_000 };
  const room = Promise.withResolvers<number>();
  const announced: (number | undefined)[] = [];
  const admit = (bytes: number | undefined) => {
    announced.push(bytes);
    t.mock.timers.tick(5_000);
    room.resolve(100);
    return room.promise;
  };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  assert.deepEqual([...(await get(url, 100, { policy, admit }))], [...BYTES]);
  assert.deepEqual(announced, [BYTES.length]);
});

test('an image that gets less room than it takes is too large', async (t) => {
  const url = await serve(t, (_, response) => {
    response.write(BYTES); // no size is announced
    response.end(BYTES);
  });
  const admit = async () => 5;
  await assert.rejects(get(url, 100, { admit }), code('IMAGE_TOO_LARGE_BYTES'));
});
