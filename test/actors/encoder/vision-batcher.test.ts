import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VisionBatcher, type VisionBatcherOptions } from '../../../actors/encoder/vision-batcher.ts';
import type { VisionFeed } from '../../../actors/encoder/vision-encoder.ts';

const TARGET = 2;

/**
 * A vision graph that gives each tile's first pixel and that plus a half, fails for a tile whose first pixel is
 * negative, and remembers its runs: the first pixels of their tiles, and whether it wrote in place.
 */
class FakeEncoder {
  readonly fixedTiles: number | undefined;
  readonly layers = 1;
  readonly joinsImages = false;
  readonly runs: number[][] = [];
  readonly targets: (Float32Array | undefined)[] = [];

  constructor(fixedTiles?: number) {
    this.fixedTiles = fixedTiles;
  }

  async encode({ pixels, parts }: VisionFeed, [target]: readonly Float32Array[]): Promise<void> {
    const length = pixels.length / parts;
    const firsts = Array.from({ length: parts }, (_, tile) => pixels[tile * length] ?? Number.NaN);
    this.runs.push(firsts);
    if (firsts.some((first) => first < 0)) throw new Error(`bad tile in ${firsts}`);
    this.targets.push(target);
    for (const [tile, first] of firsts.entries()) target?.set([first, first + 0.5], tile * TARGET);
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
  const parts = firsts.length;
  const shape = [parts, 3, side, side];
  const tokens = parts;
  const encoded = batcher.encode({ pixels, shape, parts, tokens, inputs: {}, target, requestId, signal });
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

type Manner = 'apart' | 'mixed' | 'fails together';

/**
 * A vision graph that is told where each image ends: it gives each image's first pixel and that plus a half. Some exports
 * mix images of one run, others fail.
 */
class GridEncoder {
  readonly fixedTiles = undefined;
  readonly layers = 1;
  readonly joinsImages = true;
  readonly manner: Manner;
  /** The first pixels of the images of each run. */
  readonly runs: number[][] = [];
  readonly feeds: VisionFeed[] = [];

  constructor(manner: Manner = 'apart') {
    this.manner = manner;
  }

  async encode(feed: VisionFeed, [target]: readonly Float32Array[]): Promise<void> {
    const grid = feed.inputs.image_grid_thw;
    assert.ok(grid);
    const counts = Array.from({ length: grid.shape[0] ?? 0 }, (_, image) => grid.values[3 * image + 2] ?? 0);
    let at = 0;
    const firsts = counts.map((count) => {
      at += count;
      return feed.pixels[at - count] ?? Number.NaN;
    });
    this.runs.push(firsts);
    this.feeds.push(feed);
    if (this.manner === 'fails together' && firsts.length > 1) throw new Error('one image only');
    const seen = this.manner === 'mixed' ? firsts.map(() => Math.max(...firsts)) : firsts;
    for (const [image, first] of seen.entries()) target?.set([first, first + 0.5], image * TARGET);
  }
}

/** An image that is encoded as a whole: patches of one number, and where it ends. */
function encodeWhole(batcher: VisionBatcher, first: number, { patches = 4, tokens = 4 } = {}): Image {
  const target = new Float32Array(TARGET);
  const encoded = batcher.encode({
    pixels: new Float32Array(patches).fill(first),
    shape: [patches, 1],
    parts: 1,
    tokens,
    inputs: { image_grid_thw: { shape: [1, 3], values: [1, 1, patches] } },
    target,
    requestId: 'a',
    signal: new AbortController().signal,
  });
  return { target, encoded };
}

/** Encodes images of these first pixels at the same time, and checks what they became. */
async function encodeTogether(batcher: VisionBatcher, firsts: readonly number[]): Promise<void> {
  const images = firsts.map((first) => encodeWhole(batcher, first));
  await Promise.all(images.map(({ encoded }) => encoded));
  assert.deepEqual(
    images.map(({ target }) => [...target]),
    firsts.map((first) => expected([first])),
  );
}

const batcherOfGrids = (encoder: GridEncoder, tiles = 8) =>
  new VisionBatcher({ encoder, tiles: () => tiles });

describe('images that are encoded as a whole', () => {
  it('share a run where the graph is told where each ends, as one row of patches', async () => {
    const encoder = new GridEncoder();
    await encodeTogether(batcherOfGrids(encoder), [1, 2]);
    const [feed] = encoder.feeds;
    assert.deepEqual(feed?.inputs, { image_grid_thw: { shape: [2, 3], values: [1, 1, 4, 1, 1, 4] } });
    assert.deepEqual([feed?.shape, feed?.parts, feed?.tokens], [[8, 1], 1, 8]);
  });

  it('are encoded alone besides, the first time', async () => {
    const encoder = new GridEncoder();
    const batcher = batcherOfGrids(encoder);
    await encodeTogether(batcher, [1, 2]);
    await encodeTogether(batcher, [3, 4]);
    assert.deepEqual(encoder.runs, [[1, 2], [1], [2], [3, 4]]);
  });

  it('never share a run again when the graph mixes them', async () => {
    const encoder = new GridEncoder('mixed');
    const batcher = batcherOfGrids(encoder);
    await encodeTogether(batcher, [1, 2]);
    await encodeTogether(batcher, [3, 4]);
    assert.deepEqual(encoder.runs, [[1, 2], [1], [2], [3], [4]]);
  });

  it('never share a run again when the graph fails on several', async () => {
    const encoder = new GridEncoder('fails together');
    const batcher = batcherOfGrids(encoder);
    await encodeTogether(batcher, [1, 2]);
    await encodeTogether(batcher, [3, 4]);
    assert.deepEqual(encoder.runs, [[1, 2], [1], [2], [3], [4]]);
  });

  it('have a run each where it takes one', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const images = [encodeWhole(batcher, 1), encodeWhole(batcher, 2)];
    await Promise.all(images.map(({ encoded }) => encoded));
    assert.deepEqual(encoder.runs, [[1], [2]]);
  });

  it('have a run each where their pixels have no dimension for several', async () => {
    const encoder = new FakeEncoder();
    const batcher = batcherOf(encoder, 8);
    const signal = new AbortController().signal;
    const targets = [1, 2].map((first) => ({ first, target: new Float32Array(TARGET) }));
    await Promise.all(
      targets.map(({ first, target }) => {
        const pixels = new Float32Array(3 * 4 * 2).fill(first);
        const feed = { pixels, shape: [3, 4, 2], parts: 1, tokens: 1, inputs: {} };
        return batcher.encode({ ...feed, target, requestId: 'a', signal });
      }),
    );
    assert.deepEqual(encoder.runs, [[1], [2]]);
    for (const { first, target } of targets) assert.deepEqual([...target], expected([first]));
  });

  it('count by their tokens, and are never cut', async () => {
    const encoder = new GridEncoder();
    const batcher = batcherOfGrids(encoder, 4);
    const images = [encodeWhole(batcher, 1, { tokens: 640 }), encodeWhole(batcher, 2)];
    await Promise.all(images.map(({ encoded }) => encoded));
    assert.deepEqual(encoder.runs, [[1], [2]]);
  });
});

describe('the vision batcher', () => {
  it('encodes one image in one run, in place', async () => {
    const encoder = new FakeEncoder();
    const { target, encoded } = encode(batcherOf(encoder, 8), [1, 2, 3]);
    await encoded;
    assert.deepEqual([...target], expected([1, 2, 3]));
    assert.deepEqual(encoder.runs, [[1, 2, 3]]);
    assert.equal(encoder.targets[0]?.buffer, target.buffer);
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
