import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { decodeImage } from '../../../actors/images/image-decode.ts';
import { code } from '../model/support/model-fixture.ts';
import { decodedPixels, encodedImage, golden, sha256 } from '../processor/support/golden.ts';

const FIELD = 'messages[0].content[1].image';
/** Lossy decoders may round differently; the pinned one is equal to the reference on every fixture. */
const LOSSY_TOLERANCE = 2;

for (const expected of golden.decoded) {
  test(`${expected.image} decodes to the reference's pixels`, async () => {
    const image = await decodeImage(encodedImage(expected.image), FIELD);
    assert.deepEqual([image.width, image.height], [expected.width, expected.height]);
    const lossy = decodedPixels(expected);
    if (lossy === null) assert.equal(sha256(image.data), expected.sha256);
    else assert.ok(image.data.every((level, i) => Math.abs(level - (lossy[i] ?? 999)) <= LOSSY_TOLERANCE));
  });
}

test('decoded pixels are a plain array of three bytes per pixel', async () => {
  for (const name of ['alpha.png', 'grey.png', 'landscape.png', 'cmyk.jpg']) {
    const { data, width, height } = await decodeImage(encodedImage(name), FIELD);
    assert.equal(data.length, width * height * 3);
    assert.equal(Object.getPrototypeOf(data), Uint8Array.prototype);
  }
});

test('16 bits are cut to 8', async () => {
  const raw = Uint16Array.from([0x1234, 0xabcd, 0xffff]);
  const input = sharp(raw, { raw: { width: 1, height: 1, channels: 3 } });
  const png = await input.toColourspace('rgb16').png().toBuffer();
  assert.deepEqual([...(await decodeImage(png, FIELD)).data], [0x12, 0xab, 0xff]);
});

test('a colour profile does not change the numbers', async () => {
  const raw = Uint8Array.from([200, 100, 50]);
  const input = sharp(raw, { raw: { width: 1, height: 1, channels: 3 } });
  const png = await input.png().withIccProfile('p3', { attach: true }).toBuffer();
  const plain = await sharp(png, { ignoreIcc: true }).raw().toBuffer();
  assert.deepEqual([...(await decodeImage(png, FIELD)).data], [...plain]);
});

test('an animation gives its first frame', async () => {
  const frame = (level: number): Buffer => Buffer.alloc(4 * 4 * 3, level);
  const frames = sharp(Buffer.concat([frame(255), frame(0)]), {
    raw: { width: 4, height: 8, channels: 3, pageHeight: 4 },
  });
  const image = await decodeImage(await frames.gif().toBuffer(), FIELD);
  assert.equal(image.height, 4);
  assert.ok(image.data.every((level) => level === 255));
});

test('AVIF and TIFF decode', async () => {
  const input = sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff0000' } });
  for (const bytes of [await input.avif({ lossless: true }).toBuffer(), await input.tiff().toBuffer()]) {
    const { data } = await decodeImage(bytes, FIELD);
    assert.ok((data[0] ?? 0) > 250 && (data[1] ?? 255) < 5);
  }
});

for (const [what, bytes] of [
  ['text', Buffer.from('hello, I am no image')],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')],
  ['PDF', Buffer.from('%PDF-1.7\n')],
  ['an HTML page', Buffer.from('<!doctype html><title>404</title>')],
  ['a few bytes', Buffer.from([0x89, 0x50])],
] as const) {
  test(`${what} is no supported format`, async () => {
    await assert.rejects(decodeImage(bytes, FIELD), code('IMAGE_FORMAT_UNSUPPORTED'));
  });
}

for (const name of ['baseline.jpg', 'progressive.jpg', 'landscape.png', 'lossless.webp', 'indexed.gif']) {
  test(`${name} cut in half is corrupt`, async () => {
    const bytes = encodedImage(name);
    await assert.rejects(decodeImage(bytes.subarray(0, bytes.length / 2), FIELD), code('IMAGE_CORRUPT'));
  });
}

test('a JPEG that lacks only its end is corrupt, not half grey', async () => {
  const bytes = encodedImage('baseline.jpg');
  await assert.rejects(decodeImage(bytes.subarray(0, bytes.length - 200), FIELD), code('IMAGE_CORRUPT'));
});

test('a signature with nothing behind it is corrupt', async () => {
  await assert.rejects(
    decodeImage(encodedImage('landscape.png').subarray(0, 8), FIELD),
    code('IMAGE_CORRUPT'),
  );
});

test('the message names the field and no internals', async () => {
  const bytes = encodedImage('landscape.png').subarray(0, 200);
  await assert.rejects(decodeImage(bytes, FIELD), (error) => {
    assert.ok(error instanceof Error);
    assert.ok(error.message.startsWith(FIELD));
    assert.doesNotMatch(error.message, /vips|sharp|png:/i);
    return true;
  });
});

test('a claim of too many pixels is refused by its header, with the size it claims', async () => {
  // A PNG header that claims 60,000 × 50,000 pixels, and no more than that.
  const png = encodedImage('one-pixel.png').slice();
  new DataView(png.buffer).setUint32(16, 60_000);
  new DataView(png.buffer).setUint32(20, 50_000);
  new DataView(png.buffer).setUint32(29, crc32(png.subarray(12, 29)));
  await assert.rejects(decodeImage(png, FIELD), (error) => {
    assert.ok(code('IMAGE_TOO_LARGE_PIXELS')(error));
    assert.match(String(error), /60000×50000/);
    return true;
  });
});

test('the pixel limit can be set', async () => {
  const options = { maxPixels: 201 * 133 };
  await decodeImage(encodedImage('landscape.png'), FIELD, options);
  const rejected = decodeImage(encodedImage('landscape.png'), FIELD, { maxPixels: 201 * 133 - 1 });
  await assert.rejects(rejected, code('IMAGE_TOO_LARGE_PIXELS'));
});
