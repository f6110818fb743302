import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../../actors/errors.ts';
import { decodeDataUrl } from '../../../actors/processor/data-url.ts';

const MIB = 1024 * 1024;
const decode = (url: string, maxBytes = 20 * MIB) => decodeDataUrl(url, 'image', maxBytes);

const refusal = (code: string) => (error: unknown) => {
  assert(error instanceof InputError);
  assert.equal(error.code, code);
  assert(error.message.length < 400);
  return true;
};

describe('a data URL', () => {
  for (const [name, url, text] of [
    ['base64', 'data:image/png;base64,QUJD', 'ABC'],
    ['base64 with padding', 'data:image/png;base64,QUI=', 'AB'],
    ['base64 without its padding', 'data:image/png;base64,QUI', 'AB'],
    ['the alphabet for URLs', 'data:image/png;base64,_-_-', '\xff\xef\xfe'],
    ['lines', 'data:image/png;base64,QU\r\n JD\n', 'ABC'],
    ['escapes in base64', 'data:image/png;base64,QUI%3d', 'AB'],
    ['an escaped line break in base64', 'data:image/png;base64,QU%0AJD', 'ABC'],
    ['percent-encoded bytes', 'data:image/png,%41%5a%5A%ff-b', 'AZZ\xff-b'],
    ['no type', 'data:,abc', 'abc'],
    ['parameters', 'data:image/svg+xml;charset=utf-8;base64,QQ==', 'A'],
    ['another case', 'DATA:IMAGE/PNG;BASE64,QQ==', 'A'],
  ] as const) {
    it(`is decoded: ${name}`, () => {
      assert.equal(Buffer.from(decode(url)).toString('latin1'), text);
    });
  }

  for (const url of [
    'data:image/png;base64',
    'data:text/html,abc',
    'data:image/png;base64,***',
    'data:image/png;base64,QUJDR',
    'data:image/png;base64,QU=JD',
    'data:image/png;base64,Q===',
    'data:image/png;base64,Ł',
    'data:image/png,%4',
    'data:image/png,%',
    'data:image/png,%zz',
    'data:image/png,%-1',
    'data:image/png,Ł',
    `data:image/png${';base64'.repeat(1000)},QQ==`,
  ]) {
    it(`is refused: ${url.slice(0, 40)}`, () => {
      assert.throws(() => decode(url), refusal('IMAGE_DATA_URL_INVALID'));
    });
  }

  it('is refused when its bytes are too many, in either encoding', () => {
    assert.throws(() => decode('data:image/png;base64,QUJDREVG', 3), refusal('IMAGE_TOO_LARGE_BYTES'));
    assert.throws(() => decode(`data:image/png,${'%41'.repeat(4)}`, 3), refusal('IMAGE_TOO_LARGE_BYTES'));
  });

  it('of millions of escapes is decoded with a step for each', () => {
    const count = 2_000_000;
    const decoded = decode(`data:image/png,${'%41'.repeat(count)}`);
    assert.equal(decoded.length, count);
    assert(decoded.every((byte) => byte === 0x41));
  });
});
