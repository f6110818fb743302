/** Images that clients name on the web: what all of them may hold together, and how they are let go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { assertRefused, post, startServer } from './support/server.ts';

const MIB = 1024 * 1024;
/** Of which 8 % are for fetched images: some 20 MiB. */
const MEMORY = 256 * MIB;

describe('a server that fetches images within 256 MiB', () => {
  let server: TroupeServer;
  let host: Server;
  let origin = '';

  before(async () => {
    const picture = readFileSync(goldenImage(golden(0)));
    const files: Readonly<Record<string, Buffer>> = {
      '/large': Buffer.concat([picture, Buffer.alloc(3 * MIB)]),
      '/small': picture,
    };
    host = createServer((request, response) => {
      const [path = ''] = (request.url ?? '').split('?');
      const body = files[path] ?? Buffer.alloc(0);
      if (request.url?.includes('unsaid')) response.write(body, () => response.end());
      else response.writeHead(200, { 'content-length': body.length }).end(body);
    }).listen(0, '127.0.0.1');
    await once(host, 'listening');
    const address = host.address();
    assert.ok(typeof address === 'object' && address !== null);
    origin = `http://127.0.0.1:${address.port}`;
    server = await startServer({
      images: { urls: 'http', privateAddresses: true },
      limits: { memoryBytes: MEMORY },
    });
  });

  after(async () => {
    await server.close();
    host.closeAllConnections();
    host.close();
  });

  const ask = (...paths: readonly string[]) => {
    const images = paths.map((path) => ({ type: 'image_url', image_url: { url: ` ${origin}${path}\n` } }));
    const content = [...images, { type: 'text', text: 'What is in this image?' }];
    return post(server, { messages: [{ role: 'user', content }], max_tokens: 1 });
  };
  const held = async (): Promise<string | undefined> =>
    /fetched_bytes(?:\{[^}]*\})? (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];

  it('answers about them, and lets their bytes go', async () => {
    assert.equal((await ask('/small')).status, 200);
    assert.equal((await ask('/small?unsaid')).status, 200);
    assert.equal(await held(), '0');
  });

  it('serves many requests, each of which takes most of the room', async () => {
    const paths = [1, 2, 3, 4, 5].map((nth) => `/large?${nth}`);
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await ask(...paths)).status));
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal(await held(), '0');
  });

  it('refuses a request whose images never fit together', async () => {
    const paths = [1, 2, 3, 4, 5, 6, 7, 8].map((nth) => `/large?${nth}`);
    await assertRefused(await ask(...paths), 400, 'images_too_large_bytes');
    assert.equal(await held(), '0');
  });

  it('lets go of the rest when one image cannot be had', async () => {
    await assertRefused(await ask('/large', '/none'), 400, 'image_empty');
    assert.equal(await held(), '0');
    assert.equal((await ask('/small')).status, 200);
  });
});
