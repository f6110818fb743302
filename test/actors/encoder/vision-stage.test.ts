import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { VisionEncoder } from '../../../actors/encoder/vision-encoder.ts';
import { VisionStage } from '../../../actors/encoder/vision-stage.ts';
import type { PreparedImage } from '../../../actors/generation.ts';
import { contentHash } from '../../../actors/processor/content-hash.ts';
import { SharedArena } from '../../../runtime/tensors/arena.ts';
import { SharedTensorCache } from '../../../runtime/tensors/tensor-cache.ts';
import { golden } from '../../support/golden.ts';
import { code } from '../model/support/model-fixture.ts';
import { goldenPixels, pilotDirectory, SIDE } from '../pd/support/pilot.ts';
import { encodeTiles } from './support/encode-tiles.ts';

const CACHE = 1;
const PROCESSOR = 2;
const ALICE = 3;
const BOB = 4;
const MIB = 1024 * 1024;
const TOKENS = 25;
const HIDDEN = 128;
const EMBEDDING_BYTES = TOKENS * HIDDEN * 4;

/** Two actors' stages over one cache, on the pilot's vision graph. */
describe('the vision stages of two actors', () => {
  const whose = { requestId: 'a', signal: new AbortController().signal };
  let encoder: VisionEncoder;
  let picture: Float32Array;
  let pixels: SharedArena;
  let embeddings: SharedArena;
  let cache: SharedTensorCache;
  let alice: VisionStage;
  let bob: VisionStage;

  before(async () => {
    encoder = await VisionEncoder.load(await pilotDirectory(), { threads: 1 });
    picture = await goldenPixels(golden(0));
  });
  after(() => encoder.release());

  beforeEach(() => start(MIB));

  function start(cacheBytes: number, embeddingBytes = MIB): void {
    pixels = SharedArena.create({ name: 'pixels', bytes: 16 * MIB });
    embeddings = SharedArena.create({ name: 'embeddings', bytes: embeddingBytes, blockBytes: 64 });
    cache = SharedTensorCache.create(embeddings, { name: 'cache', bytes: cacheBytes, holder: CACHE });
    alice = stage(ALICE);
    bob = stage(BOB);
  }

  function stage(holder: number): VisionStage {
    return new VisionStage({ encoder, pixels, embeddings, cache, holder, maxTilesPerRun: 4 });
  }

  /** As the processor hands it over. */
  function prepared(data: Float32Array, tiles = 1): PreparedImage {
    const shape = [tiles, 3, SIDE, SIDE];
    const tensor = pixels.tryAllocate('float32', shape, PROCESSOR) ?? assert.fail('no room');
    pixels.view(tensor).set(data);
    const [parts, tokens] = [tiles, tiles * TOKENS];
    return { hash: contentHash(data, shape, {}, 'test'), pixels: tensor, parts, tokens, inputs: {} };
  }

  const alone = async (data: Float32Array): Promise<number[]> => [
    ...(await encodeTiles(encoder, data, [data.length / picture.length, 3, SIDE, SIDE])),
  ];

  it('encode an image once for both, at the same time or later', async () => {
    const image = prepared(picture);
    const both = await Promise.all([alice.encode([image], whose), bob.encode([image], whose)]);
    const later = await bob.encode([image], whose);
    const [first, ...others] = [...both, later].map(({ images }) => images[0]?.embeddings);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(alice.stats().encodes + bob.stats().encodes, 1);
    assert.ok(first);
    assert.deepEqual([...(embeddings.view(first) as Float32Array)], await alone(picture));
  });

  it('never take one image for another of the same size that differs in a single pixel', async () => {
    const other = Float32Array.from(picture);
    const last = other.length - 1;
    other[last] = (other[last] ?? 0) > 0 ? -1 : 1;
    const first = await alice.encode([prepared(picture)], whose);
    const second = await bob.encode([prepared(other)], whose);
    const [a, b] = [first, second].map(({ images }) => images[0]?.embeddings ?? assert.fail('no embeddings'));
    assert.ok(a && b);
    assert.deepEqual([...(embeddings.view(b) as Float32Array)], await alone(other));
    assert.notDeepEqual(await alone(other), await alone(picture));
    assert.deepEqual([...(embeddings.view(a) as Float32Array)], await alone(picture));
  });

  it('never take one image for another whose hash begins alike', async () => {
    const image = prepared(picture);
    const lastDigit = image.hash.endsWith('0') ? '1' : '0';
    const hash = image.hash.slice(0, -1) + lastDigit;
    const lookalike = { ...prepared(picture.map((value) => -value)), hash };
    await alice.encode([image], whose);
    const { images } = await bob.encode([lookalike], whose);
    assert.ok(images[0]);
    const found = [...(embeddings.view(images[0].embeddings) as Float32Array)];
    assert.deepEqual(found, await alone(picture.map((value) => -value)));
  });

  it('encode images of many requests as they are encoded alone, bit for bit', async () => {
    const images = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((index) => goldenPixels(golden(index))));
    const encoded = await Promise.all(images.map((data) => alice.encode([prepared(data)], whose)));
    for (const [
      index,
      {
        images: [image],
      },
    ] of encoded.entries()) {
      assert.ok(image);
      const data = images[index] ?? assert.fail('no image');
      assert.deepEqual([...(embeddings.view(image.embeddings) as Float32Array)], await alone(data));
    }
    const { runs, tiles } = alice.stats();
    assert.equal(tiles, 7);
    assert.ok(runs < 7, `${runs} runs`);
  });

  it('refuse images that can never be held together', async () => {
    start(0, 2 * EMBEDDING_BYTES);
    const image = (factor: number) => prepared(picture.map((value) => value * factor));
    (await alice.encode([image(1), image(0.5)], whose)).release();
    await assert.rejects(alice.encode([image(1), image(0.5), image(0.25)], whose), (error) => {
      assert.ok(code('IMAGES_TOO_LARGE_EMBEDDINGS')(error));
      assert.match(String(error), new RegExp(`${3 * EMBEDDING_BYTES} bytes of embeddings, of`));
      return true;
    });
    assert.equal(alice.stats().encodes, 2);
  });

  it('pass on what the processor has found already', async () => {
    const first = await alice.encode([prepared(picture)], whose);
    const again = await bob.encode(first.images, whose);
    assert.deepEqual(again.images, first.images);
    assert.equal(bob.stats().encodes, 0);
  });

  it('hold nothing when their requests are over', async () => {
    const images = [prepared(picture), prepared(picture.map((value) => -value))];
    const encoded = await Promise.all([alice.encode(images, whose), bob.encode(images, whose)]);
    for (const { release } of encoded) release();
    for (const { pixels: tensor } of images) pixels.release(tensor, PROCESSOR);
    assert.equal(pixels.stats().tensors, 0);
    assert.equal(embeddings.stats().tensors, 2, 'kept by the cache');
    assert.equal(cache.clear(), 2 * EMBEDDING_BYTES);
    assert.equal(embeddings.stats().tensors, 0);
  });

  it('hold nothing when one of a request’s images fails', async () => {
    const gone = prepared(picture.map((value) => -value));
    pixels.release(gone.pixels, PROCESSOR);
    const image = prepared(picture);
    await assert.rejects(alice.encode([image, gone], whose), { code: 'TENSOR_RELEASED' });
    cache.clear();
    assert.equal(embeddings.stats().tensors, 0);
    assert.equal(pixels.stats().tensors, 1, 'the processor’s own');
  });

  it('an image whose first request is cancelled is encoded for the second', async () => {
    const abort = new AbortController();
    const image = prepared(picture);
    const cancelled = alice.encode([image], { ...whose, signal: abort.signal });
    const waiting = bob.encode([image], whose);
    abort.abort(new Error('enough'));
    await assert.rejects(cancelled);
    assert.equal((await waiting).images.length, 1);
    assert.deepEqual([alice.stats().encodes, bob.stats().encodes], [0, 1]);
  });

  it('make room in a full arena by letting go of what is only kept', async () => {
    start(2 * EMBEDDING_BYTES, 2 * EMBEDDING_BYTES);
    for (const index of [0, 1, 2, 3]) {
      const { release } = await alice.encode([prepared(await goldenPixels(golden(index)))], whose);
      release();
    }
    assert.equal(cache.stats().entries, 2);
  });

  it('wait for room that requests hold, and go on when they let go', async () => {
    start(0, EMBEDDING_BYTES);
    const first = await alice.encode([prepared(picture)], whose);
    const second = bob.encode([prepared(picture.map((value) => -value))], whose);
    first.release();
    assert.equal((await second).images.length, 1);
  });

  it('encode for each request when the cache is off', async () => {
    start(0);
    const image = prepared(picture);
    await Promise.all([alice.encode([image], whose), bob.encode([image], whose)]);
    assert.equal(alice.stats().encodes + bob.stats().encodes, 2);
  });
});
