import assert from 'node:assert/strict';
import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession, PACKED_GRAPH } from '../../../actors/inference/ort-session.ts';
import { type PackedGraph, packedGraph } from '../../../actors/inference/packed-graph.ts';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { writeWithExternalData } from '../../fixtures/graphs/external-data.ts';
import { floats, node, value } from '../../fixtures/graphs/graph-builder.ts';
import { MATRIX_KERNELS, type MatrixKernel, matrixGraph } from '../../fixtures/graphs/matrix-graphs.ts';
import { ownCache } from '../../support/own-cache.ts';

/** A folder with one graph, and the cache of this test in `cache`. */
async function model(t: TestContext, graph: OnnxModel): Promise<{ folder: string; path: string }> {
  const { folder } = await ownCache(t);
  const path = join(folder, 'graph.onnx');
  await writeFile(path, encodeModel(graph));
  return { folder, path };
}

function pathOf(packed: PackedGraph): string {
  assert.ok(packed.packed, packed.packed ? '' : packed.reason);
  return packed.path;
}

async function run(path: string, rows: number, width: number): Promise<number[]> {
  const session = await OrtSession.load(path, { threads: 1 });
  try {
    const x = Float32Array.from({ length: rows * width }, (_, at) => Math.sin(at));
    const outputs = await session.run({ x: new Tensor('float32', x, [rows, width]) }, ['y']);
    return [...floatData(outputs.y)];
  } finally {
    await session.release();
  }
}

describe('a graph whose packed weights come from a file', () => {
  for (const kernel of Object.keys(MATRIX_KERNELS) as MatrixKernel[]) {
    it(`gives the same bits: ${kernel}`, async (t) => {
      const width = 96;
      const { path } = await model(t, matrixGraph(kernel, { width }));
      const packed = pathOf(await packedGraph({ path, weightFiles: [] }));
      for (const rows of [1, 2, 7, 64]) {
        const expected = await run(path, rows, width);
        assert.ok(expected.every(Number.isFinite) && expected.some((one) => one !== 0));
        assert.deepEqual(await run(packed, rows, width), expected, `${rows} rows`);
      }
    });
  }

  it('gives the same bits when its weights are external data', async (t) => {
    const { folder, path } = await model(t, matrixGraph('MatMul'));
    const external = join(folder, 'external.onnx');
    await writeWithExternalData(path, external);
    const packed = await packedGraph({ path: external, weightFiles: [`${external}_data`] });
    assert.deepEqual(await run(pathOf(packed), 3, 96), await run(path, 3, 96));
  });

  it('needs nothing but the packed files', async (t) => {
    const { path } = await model(t, matrixGraph('MatMul'));
    const expected = await run(path, 3, 96);
    const packed = pathOf(await packedGraph({ path, weightFiles: [] }));
    await rm(path);
    assert.deepEqual(await run(packed, 3, 96), expected);
    assert.deepEqual((await readdir(dirname(packed))).sort(), [
      'manifest.json',
      PACKED_GRAPH,
      'packed.weights',
    ]);
  });
});

describe('packing a graph', () => {
  it('is done once', async (t) => {
    const { path: source } = await model(t, matrixGraph('MatMul'));
    const request = { path: source, weightFiles: [] };
    const path = pathOf(await packedGraph(request));
    const { mtimeMs } = await stat(path);
    assert.equal(pathOf(await packedGraph(request)), path);
    assert.equal((await stat(path)).mtimeMs, mtimeMs);
  });

  it('by several at once gives one result, which works', async (t) => {
    const { path: source } = await model(t, matrixGraph('MatMul'));
    const request = { path: source, weightFiles: [] };
    const all = await Promise.all([1, 2, 3].map(() => packedGraph(request)));
    const paths = new Set(all.map(pathOf));
    assert.equal(paths.size, 1);
    assert.deepEqual(await run([...paths][0] ?? '', 2, 96), await run(request.path, 2, 96));
  });

  it('is done anew when the files were damaged', async (t) => {
    const { path: source } = await model(t, matrixGraph('MatMul'));
    const request = { path: source, weightFiles: [] };
    const expected = await run(request.path, 2, 96);
    await truncate(join(dirname(pathOf(await packedGraph(request))), 'packed.weights'), 1000);
    assert.deepEqual(await run(pathOf(await packedGraph(request)), 2, 96), expected);
  });

  it('gives another result for the same graph with other external weights', async (t) => {
    const { folder, path } = await model(t, matrixGraph('MatMul'));
    const external = join(folder, 'external.onnx');
    const request = { path: external, weightFiles: [`${external}_data`] };
    await writeWithExternalData(path, external);
    const first = pathOf(await packedGraph(request));
    const { size } = await stat(`${external}_data`);
    await writeFile(`${external}_data`, new Uint8Array(size));
    const second = pathOf(await packedGraph(request));
    assert.notEqual(second, first);
    assert.ok((await run(second, 2, 96)).every((one) => one === 0));
  });

  it('of a graph that cannot be loaded is reported, and leaves nothing behind', async (t) => {
    const { folder, path } = await model(t, matrixGraph('MatMul'));
    await truncate(path, 100);
    const packed = await packedGraph({ path, weightFiles: [] });
    assert.equal(packed.packed, false);
    assert.deepEqual(await readdir(join(folder, 'cache')), []);
  });

  it('is refused for a kernel whose packed weights were never compared', async (t) => {
    const weights = Array.from({ length: 8 * 8 * 3 * 3 }, (_, at) => Math.sin(at));
    const image = [1, 8, 6, 6];
    const graph = {
      name: 'transposed convolution',
      node: [node('ConvTranspose', ['x', 'w'], ['y'])],
      initializer: [floats('w', [8, 8, 3, 3], weights)],
      input: [value('x', 'float32', image)],
      output: [value('y', 'float32', [1, 8, 8, 8])],
    };
    const { path } = await model(t, {
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph,
    });
    const packed = await packedGraph({ path, weightFiles: [] });
    assert.ok(!packed.packed);
    assert.match(packed.reason, /ConvTranspose/);
  });

  it('is reported as impossible where nothing can be written', async (t) => {
    const { folder, path } = await model(t, matrixGraph('MatMul'));
    await writeFile(join(folder, 'file'), '');
    process.env.TROUPE_CACHE_DIR = join(folder, 'file', 'cache');
    const packed = await packedGraph({ path, weightFiles: [] });
    assert.ok(!packed.packed);
    assert.match(packed.reason, /graph cache cannot be written/);
    assert.doesNotMatch(packed.reason, /\n/);
  });
});
