import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VisionEncoder } from '../../../actors/encoder/vision-encoder.ts';
import type { GraphSession, TensorSpec, Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { goldens } from '../../support/golden.ts';
import { goldenPixels, pilotDirectory, SIDE } from '../pd/support/pilot.ts';
import { encodeTiles } from './support/encode-tiles.ts';

describe('the vision encoder on the pilot model', () => {
  let encoder: VisionEncoder;
  let first: Float32Array;
  let second: Float32Array;
  before(async () => {
    encoder = await VisionEncoder.load(await pilotDirectory(), { threads: 1 });
    const [a, b] = goldens;
    assert.ok(a && b);
    [first, second] = [await goldenPixels(a), await goldenPixels(b)];
  });
  after(() => encoder.release());

  it('gives one row of the hidden size per image token', async () => {
    const embeddings = await encodeTiles(encoder, first, [1, 3, SIDE, SIDE]);
    assert.equal(embeddings.length, 25 * 128);
    assert.deepEqual(encoder.outputShape(25), [1, 25, 128]);
  });

  it('writes into shared memory in place, and reads pixels from it', async () => {
    const pixels = new Float32Array(new SharedArrayBuffer(first.byteLength));
    pixels.set(first);
    const shared = new SharedArrayBuffer(64 + 4 * 25 * 128);
    const target = new Float32Array(shared, 64);
    const returned = await encodeTiles(encoder, pixels, [1, 3, SIDE, SIDE], target);
    assert.equal(returned, target);
    assert.deepEqual([...target], [...(await encodeTiles(encoder, first, [1, 3, SIDE, SIDE]))]);
    assert.ok(
      new Uint8Array(shared, 0, 64).every((byte) => byte === 0),
      'nothing before the target',
    );
  });

  it('encodes tiles together as it does one by one, to rounding', async () => {
    const both = new Float32Array(2 * first.length);
    both.set(first);
    both.set(second, first.length);
    const together = await encodeTiles(encoder, both, [2, 3, SIDE, SIDE]);
    const apart = [...(await encodeTiles(encoder, first, [1, 3, SIDE, SIDE]))].concat([
      ...(await encodeTiles(encoder, second, [1, 3, SIDE, SIDE])),
    ]);
    const worst = Math.max(...apart.map((value, index) => Math.abs(value - (together[index] ?? Number.NaN))));
    assert.ok(worst < 1e-4, `worst difference ${worst}`);
  });

  it('a target of the wrong size is an error, and the encoder stays usable', async () => {
    await assert.rejects(encodeTiles(encoder, first, [1, 3, SIDE, SIDE], new Float32Array(7)));
    assert.equal((await encodeTiles(encoder, first, [1, 3, SIDE, SIDE])).length, 25 * 128);
  });

  it('pixels of a size that the graph does not take fail with MODEL_RUN_FAILED', async () => {
    const small = new Float32Array(3 * 8 * 8);
    await assert.rejects(
      encodeTiles(encoder, small, [1, 3, 8, 8]),
      (error) => TroupeError.is(error) && error.code === 'MODEL_RUN_FAILED',
    );
  });
});

/** A vision graph that only records what it is fed. */
class RecordingSession implements GraphSession {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs = new Map([spec('image_features', ['tiles', 1, 1])]);
  fed: Tensors = {};

  constructor(inputs: readonly (readonly [string, TensorSpec])[]) {
    this.inputs = new Map(inputs);
  }

  async run(feeds: Tensors): Promise<Tensors> {
    this.fed = feeds;
    return { image_features: new Tensor('float32', new Float32Array(2), [2, 1, 1]) };
  }

  async release(): Promise<void> {}
}

function spec(name: string, shape: readonly (number | string)[]): readonly [string, TensorSpec] {
  return [name, { name, type: 'float32', shape }];
}

describe('what a vision graph is fed', () => {
  const geometry = { hidden: 1, imageInputs: [], joinsImages: false };
  const feed = { pixels: new Float32Array(2 * 3 * 4), shape: [2, 3, 2, 2], parts: 2, tokens: 2, inputs: {} };

  it('a mask of ones over every pixel, where it has that input', async () => {
    const session = new RecordingSession([
      spec('pixel_values', ['batch', 'tiles', 3, 'h', 'w']),
      spec('pixel_attention_mask', ['batch', 'tiles', 'h', 'w']),
    ]);
    await new VisionEncoder(session, geometry).encode(feed, [new Float32Array(2)]);
    const { pixel_values: pixels, pixel_attention_mask: mask } = session.fed;
    assert.deepEqual(pixels?.dims, [1, 2, 3, 2, 2]);
    assert.equal(mask?.type, 'bool');
    assert.deepEqual(mask?.dims, [1, 2, 2, 2]);
    assert.ok(mask?.data instanceof Uint8Array && mask.data.every((one) => one === 1));
  });

  it('tiles as the batch, where it takes four dimensions', async () => {
    const session = new RecordingSession([spec('pixel_values', ['tiles', 3, 'h', 'w'])]);
    await new VisionEncoder(session, geometry).encode(feed, [new Float32Array(2)]);
    assert.deepEqual(session.fed.pixel_values?.dims, [2, 3, 2, 2]);
    assert.deepEqual(Object.keys(session.fed), ['pixel_values']);
  });

  it('nothing that is unknown: such a graph is refused', () => {
    const session = new RecordingSession([spec('pixel_values', []), spec('image_grid_thw', [])]);
    assert.throws(() => new VisionEncoder(session, geometry), /image_grid_thw/);
  });
});
