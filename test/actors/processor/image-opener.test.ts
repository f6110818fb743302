import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import sharp from 'sharp';
import { imagesOf } from '../../../actors/families/registry.ts';
import { isEncoded, type PreparedImage } from '../../../actors/generation.ts';
import { TRUSTED_IMAGES } from '../../../actors/image-policy.ts';
import type { ModelDirectory } from '../../../actors/model/model-directory.ts';
import type { DecodeBudgets } from '../../../actors/processor/decode-budget.ts';
import { ImageOpener, type PlacedImages } from '../../../actors/processor/image-opener.ts';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../../runtime/tensors/shared-tensor.ts';
import { SharedTensorCache } from '../../../runtime/tensors/tensor-cache.ts';
import { pilotDirectory } from '../pd/support/pilot.ts';

const CACHE = 1;
const ALICE = 2;
const BOB = 3;
const ENCODER = 4;
const MIB = 1024 * 1024;
const WIDTH = 90;
const HEIGHT = 70;

type Bytes = Uint8Array<ArrayBuffer>;

/** A picture of one size; `odd` is the place of the one byte that differs. */
async function picture(odd?: number, format: 'png' | 'webp' = 'png'): Promise<Bytes> {
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => (at * 7) % 251);
  if (odd !== undefined) data[odd] = (data[odd] ?? 0) ^ 0x80;
  const image = sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
  return new Uint8Array(await (format === 'png' ? image.png() : image.webp({ lossless: true })).toBuffer());
}

describe('opening images', () => {
  const { signal } = new AbortController();
  let directory: ModelDirectory;
  let pixels: SharedArena;
  let embeddings: SharedArena;
  let decoding: DecodeBudgets;
  let cache: SharedTensorCache;
  let alice: ImageOpener;

  before(async () => {
    directory = await pilotDirectory();
  });

  beforeEach(() => {
    pixels = SharedArena.create({ name: 'pixels', bytes: 16 * MIB });
    decoding = {
      any: SharedArena.create({ name: 'any', bytes: 16 * MIB, countsOnly: true }),
      small: SharedArena.create({ name: 'small', bytes: MIB, countsOnly: true }),
    };
    embeddings = SharedArena.create({ name: 'embeddings', bytes: MIB });
    cache = SharedTensorCache.create(embeddings, { name: 'cache', bytes: MIB, holder: CACHE });
    alice = opener(ALICE);
  });

  function opener(holder: number): ImageOpener {
    return new ImageOpener({
      directory,
      images: imagesOf(directory),
      limits: { maxImages: 8, maxImageBytes: MIB, maxImagePixels: 1_000_000, maxImageSide: 10_000 },
      policy: TRUSTED_IMAGES,
      pixels,
      decoding,
      encoded: { cache, arena: embeddings },
      holder,
    });
  }

  async function place(by: ImageOpener, ...sources: readonly Bytes[]): Promise<PlacedImages> {
    const opened = await Promise.all(sources.map((source) => by.open({ source, field: 'image' }, signal)));
    return await by.place(opened, signal);
  }

  /** What the encoder does of it: a tensor that names the image. */
  async function encode({ hash }: PreparedImage): Promise<SharedTensor> {
    const tensor = await cache.getOrMake(hash, ENCODER, async () => {
      const made = embeddings.tryAllocate('float32', [1, 25, 128], ENCODER) ?? assert.fail('no room');
      embeddings.view(made).fill(Number.parseInt(hash.slice(0, 6), 16));
      return made;
    });
    embeddings.release(tensor, ENCODER);
    return tensor;
  }

  async function firstTime(by: ImageOpener, source: Bytes): Promise<PreparedImage> {
    const { images } = await place(by, source);
    const [image] = images;
    assert.ok(image !== undefined && !isEncoded(image));
    await encode(image);
    return image;
  }

  it('an image that comes again is found encoded, and not decoded again', async () => {
    const first = await firstTime(alice, await picture());
    const { images } = await place(alice, await picture());
    assert.ok(images[0] && isEncoded(images[0]));
    assert.equal(images[0].hash, first.hash);
    assert.equal(alice.decodes, 1);
  });

  it('gives the plan of a known image without decoding it', async () => {
    const source = await picture();
    const first = await alice.open({ source, field: 'image' }, signal);
    await alice.place([first], signal);
    const second = await alice.open({ source, field: 'image' }, signal);
    assert.deepEqual(second.plan, first.plan);
    assert.equal(alice.decodes, 1);
  });

  it('one that was encoded, but let go since, is decoded again to the same pixels', async () => {
    const first = await firstTime(alice, await picture());
    cache.clear();
    const { images } = await place(alice, await picture());
    const [again] = images;
    assert.ok(again !== undefined && !isEncoded(again));
    assert.equal(again.hash, first.hash);
    assert.deepEqual(pixels.view(again.pixels), pixels.view(first.pixels));
    assert.equal(alice.decodes, 2);
  });

  it('the same picture in another format is found by its pixels', async () => {
    const first = await firstTime(alice, await picture());
    const { images } = await place(alice, await picture(undefined, 'webp'));
    assert.ok(images[0] && isEncoded(images[0]));
    assert.equal(images[0].hash, first.hash);
    assert.equal(pixels.stats().tensors, 1, 'the pixels of the first alone');
  });

  it('what one processor has opened, another finds once it has seen the pixels', async () => {
    await firstTime(alice, await picture());
    const bob = opener(BOB);
    for (const decodes of [1, 1]) {
      const { images } = await place(bob, await picture());
      assert.ok(images[0] && isEncoded(images[0]));
      assert.equal(bob.decodes, decodes);
    }
  });

  it('an image of the same size that differs in one pixel is another image, each time', async () => {
    const first = await firstTime(alice, await picture());
    for (const odd of [0, 3 * 1234, WIDTH * HEIGHT * 3 - 1]) {
      const { images } = await place(alice, await picture(odd));
      const [other] = images;
      assert.ok(other !== undefined && !isEncoded(other), `found although byte ${odd} differs`);
      assert.notEqual(other.hash, first.hash);
    }
    assert.equal(alice.decodes, 4);
  });

  it('a request may mix known images and new ones, in its own order', async () => {
    const known = await firstTime(alice, await picture());
    const { images } = await place(alice, await picture(5), await picture(), await picture(9));
    assert.deepEqual(
      images.map((image) => isEncoded(image)),
      [false, true, false],
    );
    assert.equal(images[1]?.hash, known.hash);
  });

  it('lets go of everything it holds, and of what it held when an image fails', async () => {
    const { images, release } = await place(alice, await picture());
    const [image] = images;
    assert.ok(image !== undefined && !isEncoded(image));
    await encode(image);
    release();
    const again = await place(alice, await picture(), await picture(3));
    again.release();
    const opened = await alice.open({ source: await picture(), field: 'image' }, signal);
    const broken = { ...opened, source: 'unknown', read: () => Promise.reject(new Error('broken')) };
    await assert.rejects(alice.place([opened, broken], signal), /broken/);
    cache.clear();
    assert.deepEqual([pixels.stats().tensors, embeddings.stats().tensors], [0, 0]);
  });

  it('requests that together want more room than there is are all served', async () => {
    const { plan } = await alice.open({ source: await picture(), field: 'image' }, signal);
    const bytes = 4 * plan.shape.reduce((product, side) => product * side, 1);
    pixels = SharedArena.create({ name: 'pixels', bytes: 10 * bytes, blockBytes: 64 });
    const by = [opener(ALICE), opener(BOB)];
    const request = async (nth: number): Promise<void> => {
      const sources = await Promise.all([0, 1, 2, 3, 4, 5].map((odd) => picture(nth * 100 + odd)));
      const { images, release } = await place(by[nth % 2] ?? alice, ...sources);
      assert.equal(images.length, 6);
      release();
    };
    await Promise.all([0, 1, 2, 3].map(request));
    assert.equal(pixels.stats().tensors, 0);
    assert.equal(decoding.any.stats().tensors + decoding.small.stats().tensors, 0);
  });

  it('refuses images at once that never fit together', async () => {
    const { plan } = await alice.open({ source: await picture(), field: 'image' }, signal);
    const bytes = 4 * plan.shape.reduce((product, side) => product * side, 1);
    pixels = SharedArena.create({ name: 'pixels', bytes: 2 * bytes, blockBytes: 64 });
    const sources = await Promise.all([0, 1, 2].map((odd) => picture(odd)));
    await assert.rejects(place(opener(ALICE), ...sources), {
      code: 'IMAGES_TOO_LARGE_PIXELS',
      message: /limits\.memoryBytes/,
    });
    assert.equal(pixels.stats().tensors, 0);
  });

  it('refuses an image at once that never can be decoded', async () => {
    decoding = { ...decoding, any: SharedArena.create({ name: 'any', bytes: 64 * 1024, countsOnly: true }) };
    const opened = opener(ALICE).open({ source: await picture(), field: 'image' }, signal);
    await assert.rejects(opened, { code: 'IMAGE_TOO_LARGE_PIXELS', message: /decoding it takes/ });
  });

  it('holds no embeddings while it waits for room for pixels', async () => {
    await firstTime(alice, await picture());
    pixels.releaseAll(ALICE);
    const [taken] = await pixels.allocateAll('uint8', [[16 * MIB]], BOB);
    const abort = new AbortController();
    const open = (source: Bytes) => alice.open({ source, field: 'image' }, abort.signal);
    const opened = await Promise.all([open(await picture()), open(await picture(7))]);
    const waiting = alice.place(opened, abort.signal);
    assert.equal(embeddings.releaseAll(ALICE), 0);
    pixels.release(taken ?? assert.fail(), BOB);
    const { images, release } = await waiting;
    assert.deepEqual(images.map(isEncoded), [true, false]);
    release();
  });
});
