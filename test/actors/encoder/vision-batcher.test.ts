import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VisionBatcher, type VisionBatcherOptions } from '../../../actors/encoder/vision-batcher.ts';
import type { PixelShape } from '../../../actors/encoder/vision-encoder.ts';

const TARGET = 2;

/**
 * A vision graph that gives each tile's first pixel and that plus a half, fails for a tile whose first pixel is
 * negative, and remembers its runs: the first pixels of their tiles, and whether it wrote in place.
 */
class FakeEncoder {
  readonly fixedTiles: number | undefined;
  readonly runs: number[][] = [];
  inPlace = 0;

  constructor(fixedTiles?: number) {
    this.fixedTiles = fixedTiles;
  }

  async encode(pixels: Float32Array, shape: PixelShape, target?: Float32Array): Promise<Float32Array> {
    const [tiles] = shape;
    const length = pixels.length / tiles;
    const firsts = Array.from({ length: tiles }, (_, tile) => pixels[tile * length] ?? Number.NaN);
    this.runs.push(firsts);
    if (firsts.some((first) => first < 0)) throw new Error(`bad tile in ${firsts}`);
    if (target !== undefined) this.inPlace += 1;
    const output = target ?? new Float32Array(tiles * TARGET);
    for (const [tile, first] of firsts.entries()) output.set([first, first + 0.5], tile * TARGET);
    return output;
  }
}

interface Image {
  readonly target: Float32Array;
  readonly encoded: Promise<void>;
}

/** @param firsts the first pixel of each tile */
function encode(
  batcher: VisionBatcher,
  firsts: readonly number[],
  { requestId = 'a', signal = new AbortController().signal, side = 2 } = {},
): Image {
  const length = 3 * side * side;
  const pixels = new Float32Array(firsts.length * length);
  for (const [tile, first] of firsts.entries()) pixels.fill(first, tile * length, (tile + 1) * length);
  const target = new Float32Array(firsts.length * TARGET);
  const shape = [firsts.length, 3, side, side] as const;
  const encoded = batcher.encode({ pixels, shape, target, requestId, signal });
  encoded.catch(() => {}); // awaited later
  return { target, encoded };
}

const expected = (firsts: readonly number[]): number[] => firsts.flatMap((first) => [first, first + 0.5]);

function batcherOf(
  encoder: FakeEncoder,
  tiles: number,
  options: Partial<VisionBatcherOptions> = {},
): VisionBatcher {
  return new VisionBatcher({ encoder, tiles: () => tiles, ...options });
}

describe('the vision batcher', () => {
  it('encodes one image in one run, in place', async () => {
    const encoder = new FakeEncoder();
    const { target, encoded } = encode(batcherOf(encoder, 8), [1, 2, 3]);
    await encoded;
    assert.deepEqual([...target], expected([1, 2, 3]));
    assert.deepEqual(encoder.runs, [[1, 2, 3]]);
    assert.equal(encoder.inPlace, 1);
  });

  it('encodes what several requests ask for at the same time in one run', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const images = [[1], [2, 3], [4]].map((firsts) => ({ firsts, ...encode(batcher, firsts) }));
    for (const { firsts, target, encoded } of images) {
      await encoded;
      assert.deepEqual([...target], expected(firsts));
    }
    assert.deepEqual(encoder.runs, [[1, 2, 3, 4]]);
  });

  it('spreads an image over runs of at most so many tiles', async () => {
    const encoder = new FakeEncoder();
    const { target, encoded } = encode(batcherOf(encoder, 2), [1, 2, 3, 4, 5]);
    await encoded;
    assert.deepEqual([...target], expected([1, 2, 3, 4, 5]));
    assert.deepEqual(encoder.runs, [[1, 2], [3, 4], [5]]);
  });

  it('fills up a run with the next image, first come, first served', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 4);
    const [a, b] = [encode(batcher, [1, 2, 3]), encode(batcher, [4, 5, 6])];
    await Promise.all([a.encoded, b.encoded]);
    assert.deepEqual(encoder.runs, [
      [1, 2, 3, 4],
      [5, 6],
    ]);
    assert.deepEqual([...b.target], expected([4, 5, 6]));
  });

  it('tells an image that it is done before the rest of the queue is', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 1);
    const [first, second] = [encode(batcher, [1]), encode(batcher, [2, 3, 4])];
    await first.encoded;
    assert.deepEqual(encoder.runs, [[1]]);
    await second.encoded;
  });

  it('takes what comes during a run into the next one', async () => {
    const encoder = new FakeEncoder();
    let late: Image | undefined;
    const batcher = batcherOf(encoder, 2, {
      onRun: () => {
        late ??= encode(batcher, [9]);
      },
    });
    await encode(batcher, [1, 2, 3]).encoded;
    await late?.encoded;
    assert.deepEqual(encoder.runs, [
      [1, 2],
      [3, 9],
    ]);
  });

  it('does not mix tiles of different sizes', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const images = [encode(batcher, [1]), encode(batcher, [2], { side: 4 }), encode(batcher, [3])];
    await Promise.all(images.map(({ encoded }) => encoded));
    assert.deepEqual(encoder.runs, [[1, 3], [2]]);
  });

  it('runs as many tiles as the graph fixes', async () => {
    const encoder = new FakeEncoder(1);
    await encode(batcherOf(encoder, 8), [1, 2, 3]).encoded;
    assert.deepEqual(encoder.runs, [[1], [2], [3]]);
  });

  it('a failure is one image’s: those that shared its run are encoded all the same', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const [good, bad, fine] = [encode(batcher, [1]), encode(batcher, [-1]), encode(batcher, [3])];
    await assert.rejects(bad.encoded, /bad tile in -1/);
    await Promise.all([good.encoded, fine.encoded]);
    assert.deepEqual([...good.target, ...fine.target], expected([1, 3]));
    assert.deepEqual(encoder.runs, [[1, -1, 3], [1], [-1], [3]]);
  });

  it('an image that fails in its second run takes no part in a third', async () => {
    const encoder = new FakeEncoder();
    await assert.rejects(encode(batcherOf(encoder, 1), [1, -1, 3]).encoded, /bad tile/);
    assert.deepEqual(encoder.runs, [[1], [-1]]);
  });

  it('an image whose request is cancelled costs no run', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const abort = new AbortController();
    const [cancelled, other] = [encode(batcher, [1], { signal: abort.signal }), encode(batcher, [2])];
    abort.abort(new Error('enough'));
    await assert.rejects(cancelled.encoded, /enough/);
    await other.encoded;
    assert.deepEqual(encoder.runs, [[2]]);
  });

  it('an image cancelled between its runs costs no further one', async () => {
    const encoder = new FakeEncoder();
    const abort = new AbortController();
    const batcher = batcherOf(encoder, 1, { onRun: () => abort.abort(new Error('enough')) });
    await assert.rejects(encode(batcher, [1, 2, 3], { signal: abort.signal }).encoded, /enough/);
    assert.deepEqual(encoder.runs, [[1]]);
  });

  it('one cancelled before it is asked for is refused at once', async () => {
    const encoder = new FakeEncoder();
    const image = encode(batcherOf(encoder, 8), [1], { signal: AbortSignal.abort(new Error('no')) });
    await assert.rejects(image.encoded, /no/);
    assert.deepEqual(encoder.runs, []);
  });

  it('pauses before each run, for as long as it is told the one before took', async () => {
    const encoder = new FakeEncoder();
    let clock = 0;
    const pauses: number[] = [];
    const batcher = batcherOf(encoder, 1, {
      now: () => {
        clock += 5;
        return clock;
      },
      pause: async (ms) => void pauses.push(ms),
    });
    await encode(batcher, [1, 2, 3]).encoded;
    assert.deepEqual(pauses, [0, 5, 5]);
  });

  it('works again after the queue was empty, and after everybody was cancelled', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    await encode(batcher, [1]).encoded;
    const abort = new AbortController();
    const cancelled = encode(batcher, [2], { signal: abort.signal });
    abort.abort();
    await assert.rejects(cancelled.encoded);
    await encode(batcher, [3]).encoded;
    assert.deepEqual(encoder.runs, [[1], [3]]);
  });
});
