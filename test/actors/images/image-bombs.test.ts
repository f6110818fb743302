/** Files that are small and cost much: what is done for them must not grow with what they claim. */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { gifFirstFrame } from '../../../actors/images/formats/gif-first-frame.ts';
import { tiffKind } from '../../../actors/images/formats/tiff-kind.ts';
import { webpFirstFrame } from '../../../actors/images/formats/webp-first-frame.ts';
import { decodeImage, readImage } from '../../../actors/images/image-decode.ts';
import { code } from '../model/support/model-fixture.ts';
import { pictureBytes } from '../processor/support/pictures.ts';

const FIELD = 'image';
const FRAMES = 200_000;

/** The file with its second frame again and again. */
function manyFrames(name: string, mark: Buffer, end: number, frames: number): Buffer {
  const bytes = Buffer.from(pictureBytes(name));
  const first = bytes.indexOf(mark);
  const second = bytes.indexOf(mark, first + 1);
  const frame = bytes.subarray(second, bytes.length - end);
  const tail = bytes.subarray(bytes.length - end);
  return Buffer.concat([bytes.subarray(0, second), ...Array(frames).fill(frame), tail]);
}

test('an animated WebP costs its first frame, however many follow', async () => {
  const many = manyFrames('webp-animated.webp', Buffer.from('ANMF'), 0, FRAMES);
  many.writeUInt32LE(many.length - 8, 4);
  const alone = webpFirstFrame(many)?.bytes ?? assert.fail('no frame');
  assert.equal(alone.length, webpFirstFrame(pictureBytes('webp-animated.webp'))?.bytes.length);
  const few = await decodeImage(pictureBytes('webp-animated.webp'), FIELD);
  assert.deepEqual((await decodeImage(many, FIELD)).data, few.data);
});

test('an animated GIF costs its first frame, however many follow', async () => {
  const many = manyFrames('gif-animated.gif', Buffer.from([0x21, 0xf9, 4]), 1, FRAMES);
  const alone = gifFirstFrame(many)?.bytes ?? assert.fail('no frame');
  assert.equal(alone.length, gifFirstFrame(pictureBytes('gif-animated.gif'))?.bytes.length);
  const few = await decodeImage(pictureBytes('gif-animated.gif'), FIELD);
  assert.deepEqual((await decodeImage(many, FIELD)).data, few.data);
});

test('a TIFF costs its first page, though its pages go round in a circle', async () => {
  const bytes = pictureBytes('tiff-rgb-le.tif');
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(4, true);
  const next = directory + 2 + view.getUint16(directory, true) * 12;
  view.setUint32(next, directory, true);
  const kind = tiffKind(bytes);
  assert.ok(typeof kind === 'object');
  assert.equal(new DataView(kind.bytes.buffer).getUint32(next, true), 0);
  assert.equal((await decodeImage(bytes, FIELD)).width, 23);
});

describe('a PNG that is as good as a line', () => {
  const line = (width: number, height: number): Uint8Array => {
    const bytes = pictureBytes('png-rgb.png');
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    view.setUint32(29, crc32(bytes.subarray(12, 29)));
    return bytes;
  };
  for (const [width, height] of [
    [39_000_000, 1],
    [1, 39_000_000],
    [65_536, 1],
  ] as const) {
    it(`is refused at ${width}×${height}`, async () => {
      await assert.rejects(readImage(line(width, height), FIELD), code('IMAGE_TOO_LARGE_PIXELS'));
    });
  }

  it('is read at 65,535 pixels', async () => {
    assert.equal((await readImage(line(65_535, 1), FIELD)).width, 65_535);
  });
});

test('the head of a bitmap that claims the world is refused before anything is allocated', async () => {
  for (const side of [7_000, 65_535]) {
    const bytes = pictureBytes('bmp-rle8.bmp');
    const view = new DataView(bytes.buffer);
    view.setInt32(18, side, true);
    view.setInt32(22, side, true);
    await assert.rejects(readImage(bytes, FIELD), code('IMAGE_TOO_LARGE_PIXELS'));
  }
});

test('38 bytes that stand for 40 megapixels say beforehand what they will take', async () => {
  const hex = '524946461e000000574542505650384c110000002fafd82b160750e42ad4a3808188e87f0000';
  const { width, height, decodeBytes } = await readImage(Buffer.from(hex, 'hex'), FIELD);
  assert.deepEqual([width, height], [6320, 6320]);
  assert.ok(decodeBytes >= width * height * 12, `${decodeBytes}`);
});
