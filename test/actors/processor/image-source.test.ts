import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { ImageSource } from '../../../actors/generation.ts';
import { TRUSTED_IMAGES } from '../../../actors/image-policy.ts';
import { loadImageBytes } from '../../../actors/processor/image-source.ts';
import { code } from '../model/support/model-fixture.ts';

const FIELD = 'messages[0].content[1].image';
const BYTES = new Uint8Array([1, 2, 3, 250]);
const BASE64 = 'AQID+g==';

const load = async (source: ImageSource, options = {}): Promise<number[]> => [
  ...(await loadImageBytes(source, FIELD, options)),
];

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-image-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('bytes are taken as they are', async () => {
  assert.equal(await loadImageBytes(BYTES, FIELD), BYTES);
});

test('a file is read by its path and by its URL', async (t) => {
  const path = join(await folder(t), 'an image.png');
  await writeFile(path, BYTES);
  assert.deepEqual(await load(path), [...BYTES]);
  assert.deepEqual(await load(pathToFileURL(path)), [...BYTES]);
  assert.deepEqual(await load(pathToFileURL(path).href), [...BYTES]);
});

test('a file that does not exist', async (t) => {
  await assert.rejects(load(join(await folder(t), 'none.png')), code('IMAGE_NOT_FOUND'));
});

test('a folder, an invalid path and a file URL of another host cannot be read', async (t) => {
  for (const source of [await folder(t), 'a\0b', 'file://elsewhere/x.png']) {
    await assert.rejects(load(source), code('IMAGE_UNREADABLE'));
  }
});

test('a pipe is refused and not waited for', { skip: process.platform === 'win32' }, async (t) => {
  const path = join(await folder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  await assert.rejects(load(path), code('IMAGE_UNREADABLE'));
});

test('no bytes are no image, wherever they come from', async (t) => {
  const path = join(await folder(t), 'empty.png');
  await writeFile(path, '');
  for (const source of [new Uint8Array(), path, 'data:image/png;base64,', 'data:,']) {
    await assert.rejects(load(source), code('IMAGE_EMPTY'));
  }
});

test('more bytes than the limit are refused, wherever they come from', async (t) => {
  const path = join(await folder(t), 'image.png');
  await writeFile(path, BYTES);
  for (const source of [BYTES, path, `data:;base64,${BASE64}`, 'data:,%01%02%03%FA']) {
    assert.deepEqual(await load(source, { maxBytes: 4 }), [...BYTES]);
    await assert.rejects(load(source, { maxBytes: 3 }), code('IMAGE_TOO_LARGE_BYTES'));
  }
});

for (const url of [
  `data:image/png;base64,${BASE64}`,
  `DATA:IMAGE/PNG;charset=x;BASE64,${BASE64}`,
  'data:image/png;base64,AQID%2Bg%3D%3D',
  'data:image/png;base64,AQID\n+g',
  'data:image/png;base64,AQID-g==',
  'data:image/png,%01%02%03%fa',
  'data:image/png;base64,%41%51%49%44%2b%67%3d%3d',
  `data:application/octet-stream;base64,${BASE64}`,
  `data:Application/Octet-Stream; BASE64 ,${BASE64}`,
  `data:binary/octet-stream;base64,${BASE64}`,
  `data:image/jpg;name=a%20photo.jpg;base64,${BASE64}`,
  `data:image/png;base64;name=photo.png,${BASE64}`,
  `data:;charset=utf-8;base64,${BASE64}`,
  `data:png;base64,${BASE64}`,
  `data:image;base64,${BASE64}`,
  `data:*/*;base64,${BASE64}`,
  `data:image/png;base64,\r\n AQ\r\n ID\t+g==\r\n`,
  ` \n\tdata:image/png;base64,${BASE64}`,
]) {
  test(`${JSON.stringify(url)} is read`, async () => {
    assert.deepEqual(await load(url), [...BYTES]);
  });
}

for (const url of [
  'data:image/png;base64',
  'data:;base64,AQI*',
  'data:;base64,AAAAA',
  'data:;base64,%zz',
  'data:,%0',
  'data:,é€',
  `data:text/html;base64,${BASE64}`,
  `data: application/pdf;base64,${BASE64}`,
]) {
  test(`${JSON.stringify(url)} is invalid`, async () => {
    await assert.rejects(load(url), code('IMAGE_DATA_URL_INVALID'));
  });
}

test('the error of a large data URL does not repeat it', async () => {
  await assert.rejects(load(`data:;base64,${'*'.repeat(100_000)}`), (error) => {
    assert.ok(code('IMAGE_DATA_URL_INVALID')(error));
    assert.ok(JSON.stringify(error).length < 1_000 && String(error).length < 400);
    return true;
  });
});

test('other schemes are unsupported', async () => {
  for (const source of ['ftp://host/x.png', 'blob:x', new URL('about:blank')]) {
    await assert.rejects(load(source), code('IMAGE_SOURCE_UNSUPPORTED'));
  }
});

test('a refusal lists what is really accepted', async () => {
  const refusal = async (source: string, policy: object): Promise<string> => {
    const failed = await load(source, { policy: { ...TRUSTED_IMAGES, ...policy } }).catch((error) => error);
    assert.ok(code('IMAGE_SOURCE_UNSUPPORTED')(failed));
    return String(failed);
  };
  const strict = { sources: ['bytes', 'data', 'http'], plainHttp: false };
  assert.match(
    await refusal('file:///x.png', strict),
    /a file is not accepted .*Give a data: URL, or an https: URL\./,
  );
  const open = { ...strict, plainHttp: true };
  assert.match(await refusal('file:///x.png', open), /Give a data: URL, or an https: or http: URL\./);
  const files = { sources: ['bytes', 'data', 'file'], folders: ['/pictures'] };
  assert.match(
    await refusal('http://x/', files),
    /a web address is not accepted .*Give a data: URL, or a file of an allowed folder\./,
  );
});

test('the type in a data URL that is no image is named', async () => {
  await assert.rejects(load(`data:text/html,<p>`), /of the type text\/html/);
});

test('a path may begin with a space', async (t) => {
  const path = join(await folder(t), ' image.png');
  await writeFile(path, BYTES);
  assert.deepEqual(await load(path), [...BYTES]);
});

test('kinds that are not allowed are refused before anything is read', async () => {
  const policy = { ...TRUSTED_IMAGES, sources: ['bytes', 'data'] };
  assert.deepEqual(await load(BYTES, { policy }), [...BYTES]);
  for (const source of ['/etc/hostname', 'file:///etc/hostname', 'http://127.0.0.1:1/x.png']) {
    await assert.rejects(load(source, { policy }), code('IMAGE_SOURCE_UNSUPPORTED'));
  }
});

test('an aborted signal ends it with the reason of the abort', async () => {
  const reason = new Error('gone');
  await assert.rejects(load(BYTES, { signal: AbortSignal.abort(reason) }), reason);
});
