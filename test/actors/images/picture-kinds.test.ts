import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../actors/errors.ts';
import { decodeImage, readImage } from '../../../actors/images/image-decode.ts';
import { code } from '../model/support/model-fixture.ts';
import { pictureBytes, picturePixels, pictures, refusedPictures } from '../processor/support/pictures.ts';

const FIELD = 'image';
/** Lossy decoders round in their own ways, and so does taking a colour out of its own opacity. */
const ROUNDED = /jpeg|lossy|associated/;

for (const expected of pictures) {
  test(`${expected.image} is seen as the reference sees it`, async () => {
    const image = await decodeImage(pictureBytes(expected.image), FIELD);
    assert.deepEqual([image.width, image.height], [expected.width, expected.height]);
    const right = picturePixels(expected);
    const far = right.reduce((most, level, i) => Math.max(most, Math.abs(level - (image.data[i] ?? 999))), 0);
    assert.ok(far <= (ROUNDED.test(expected.image) ? 2 : 0), `off by ${far}`);
  });
}

test('the head gives the size that decoding does', async () => {
  for (const { image, width, height } of pictures) {
    const read = await readImage(pictureBytes(image), FIELD);
    assert.deepEqual([read.width, read.height], [width, height], image);
    assert.ok(read.decodeBytes >= width * height * 3, image);
  }
});

/** What a refusal has to speak of. */
const REASONS: Readonly<Record<string, RegExp>> = {
  float: /floating point/,
  half: /floating point/,
  double: /floating point/,
  'float-rgb': /floating point/,
  '32-bit': /32 bits/,
  '32-bit-rgb': /32 bits/,
  signed: /not unsigned/,
  'signed-16': /not unsigned/,
  lab: /CIELAB/,
  'lab-16': /CIELAB/,
  icclab: /ICC LAB/,
  itulab: /ITU LAB/,
  mask: /transparency mask/,
  cfa: /CFA/,
  'linear-raw': /linear/,
  inks: /inks other than CMYK/,
  'cmyk-three': /3 samples for 4 colours/,
  'rgb-two': /2 samples for 3 colours/,
  'rgb-mixed': /8, 8, 16 bits/,
  'rgb-4-bit': /4 bits/,
  'palette-16': /16 bits/,
  'tiled-planar': /tiles of one colour/,
  ycbcr: /YCbCr/,
  'jpeg-inside': /JPEG image inside/,
};

for (const name of refusedPictures) {
  test(`${name} is refused with the true reason`, async () => {
    const reason = REASONS[name.replace(/^refused-|\.\w+$/g, '')];
    assert.ok(reason !== undefined, 'a reason to expect');
    await assert.rejects(decodeImage(pictureBytes(name), FIELD), (error) => {
      assert.ok(error instanceof InputError && error.code === 'IMAGE_FORMAT_UNSUPPORTED');
      assert.match(error.message, reason);
      return true;
    });
  });
}

test('whatever its end is cut off, a picture is refused, whole or an error of its own', async () => {
  for (const { image } of pictures) {
    const bytes = pictureBytes(image);
    for (const part of [0.05, 0.3, 0.6, 0.9]) {
      const cut = bytes.slice(0, Math.floor(bytes.length * part));
      await decodeImage(cut, FIELD).catch((error: unknown) => {
        assert.ok(error instanceof InputError, `${image} cut to ${cut.length} bytes: ${error}`);
      });
    }
  }
});

for (const [name, length] of [
  ['bmp-24.bmp', 400],
  ['bmp-rle8.bmp', 1100],
  ['ico-bmp-24.ico', 600],
  ['ico-png.ico', 100],
  ['gif-animated.gif', 200],
  ['webp-animated.webp', 150],
  ['tiff-rgb-le.tif', 900],
] as const) {
  test(`${name} without its end is corrupt`, async () => {
    const cut = pictureBytes(name).subarray(0, length);
    await assert.rejects(decodeImage(cut, FIELD), code('IMAGE_CORRUPT'));
  });
}

for (const name of [
  'bmp-24.bmp',
  'bmp-rle8.bmp',
  'ico-png.ico',
  'ico-bmp-32.ico',
  'gif-part.gif',
  'png-rgb.png',
] as const) {
  test(`${name} keeps both limits on its size, by its head`, async () => {
    const bytes = pictureBytes(name);
    for (const limits of [{ maxPixels: 23 * 14 - 1 }, { maxSide: 22 }]) {
      await assert.rejects(readImage(bytes, FIELD, limits), code('IMAGE_TOO_LARGE_PIXELS'));
    }
    await readImage(bytes, FIELD, { maxPixels: 23 * 14, maxSide: 23 });
  });
}
