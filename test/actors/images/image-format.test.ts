import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import { InputError } from '../../../actors/errors.ts';
import { decodeImage } from '../../../actors/images/image-decode.ts';
import { imageFormat, otherFormat } from '../../../actors/images/image-format.ts';

const FIELD = 'image';
const HEIC = readFileSync(new URL('../../fixtures/pictures/heic-mif1.heic', import.meta.url));

function withBrand(bytes: Uint8Array, brand: string): Uint8Array {
  const branded = Buffer.from(bytes);
  branded.write(brand, 8, 'latin1');
  return branded;
}

for (const brand of ['mif1', 'heic', 'heix', 'hevc', 'heim', 'heis', 'msf1', 'mif2', 'miaf']) {
  test(`a HEIC image of brand ${brand} is refused for its codec, not as incomplete`, async () => {
    await assert.rejects(decodeImage(withBrand(HEIC, brand), FIELD), (error) => {
      assert.ok(error instanceof InputError && error.code === 'IMAGE_FORMAT_UNSUPPORTED');
      assert.match(error.message, /HEIC image \(HEVC\), which is not decoded here/);
      return true;
    });
  });
}

for (const brand of ['avif', 'mif1', 'miaf', 'msf1', 'isom']) {
  test(`an AVIF image of brand ${brand} decodes`, async () => {
    const red = sharp({ create: { width: 16, height: 8, channels: 3, background: '#ff0000' } });
    const { width, height } = await decodeImage(withBrand(await red.avif().toBuffer(), brand), FIELD);
    assert.deepEqual([width, height], [16, 8]);
  });
}

test('a HEIC image that is cut off is corrupt', async () => {
  await assert.rejects(decodeImage(HEIC.subarray(0, 60), FIELD), { code: 'IMAGE_CORRUPT' });
});

for (const [start, what] of [
  ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG drawing'],
  ['<?xml version="1.0"?>\n<!-- made by hand -->\n<svg/>', 'an SVG drawing'],
  ['\xef\xbb\xbf\n<!DOCTYPE html><title>404</title>', 'an HTML page'],
  ['{"error":"not found"}', 'text that looks like JSON'],
  ['data:image/png;base64,AAAA', 'the text of a data: URL, not the bytes in it'],
  ['%PDF-1.7', 'a PDF document'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL image'],
  ['\0\0\0\x0cjP  \r\n', 'a JPEG 2000 image'],
  ['8BPS\0\x01', 'a Photoshop document'],
  ['\0\0\0\x18ftypmp42\0\0\0\0', 'a video or another ISO media file'],
  ['\0\0\x02\0\x01\0', 'a cursor (CUR)'],
  ['\x1f\x8b\x08\0', 'a gzip file'],
] as const) {
  test(`${what} is called so (${JSON.stringify(start.slice(0, 12))})`, async () => {
    const bytes = Buffer.from(start, 'latin1');
    assert.equal(imageFormat(bytes), null);
    assert.equal(otherFormat(bytes), what);
    await assert.rejects(decodeImage(bytes, FIELD), { code: 'IMAGE_FORMAT_UNSUPPORTED' });
  });
}

test('a text that begins like a bitmap is none', async () => {
  await assert.rejects(decodeImage(Buffer.from('BMW is no picture but a maker of cars'), FIELD), {
    code: 'IMAGE_FORMAT_UNSUPPORTED',
  });
});
