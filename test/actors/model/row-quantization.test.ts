import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData } from '../../../actors/inference/ort-session.ts';
import type { OnnxModel, OnnxNode } from '../../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../../actors/model/rewrite/graph-editor.ts';
import { quantizeByRow, type RowQuantization } from '../../../actors/model/rewrite/row-quantization.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { floats, int8s, intAttribute, node, uint8s, value } from '../../fixtures/graphs/graph-builder.ts';
import { type MatrixKernel, matrixGraph } from '../../fixtures/graphs/matrix-graphs.ts';
import { sessionOf } from '../pd/support/group-query.ts';

const WIDTH = 32;
const KERNELS = ['DynamicQuantizeMatMul', 'MatMulInteger'] as const satisfies readonly MatrixKernel[];

function rewritten(model: OnnxModel): { model: OnnxModel; found: RowQuantization } {
  const editor = new GraphEditor(model);
  const found = quantizeByRow(editor);
  editor.finish();
  return { model, found };
}

async function run(model: OnnxModel, x: Float32Array, dims: readonly number[]): Promise<Float32Array> {
  const session = await sessionOf(model);
  const { y } = await session.run({ x: new Tensor('float32', x, dims) }, ['y']);
  await session.release();
  return floatData(y);
}

/** Each row ten times as large as the one before. */
function rows(count: number, width = WIDTH): Float32Array {
  const random = new SeededRandom(5);
  return Float32Array.from(
    { length: count * width },
    (_, at) => (random.nextFloat() - 0.5) * 10 ** Math.floor(at / width),
  );
}

const oneLayer = (kernel: MatrixKernel, opset = 17): OnnxModel => ({
  ...matrixGraph(kernel, { layers: 1, width: WIDTH }),
  opsetImport: [
    { domain: '', version: opset },
    { domain: 'com.microsoft', version: 1 },
  ],
});

/** What one row gives, computed from the weights in the graph: `uint8` around 128, scale 0.002. */
function expectedRow(model: OnnxModel, row: Float32Array): number[] {
  const weights = model.graph?.initializer?.find(({ name }) => name === 'w0')?.rawData ?? new Uint8Array();
  const largest = Math.max(...row.map(Math.abs));
  const levels = [...row].map((one) => Math.round((one / largest) * 127));
  return Array.from({ length: WIDTH }, (_, column) => {
    const sum = levels.reduce((all, level, k) => all + level * ((weights[k * WIDTH + column] ?? 0) - 128), 0);
    return sum * 0.002 * (largest / 127);
  });
}

function assertClose(actual: ArrayLike<number>, expected: readonly number[], share = 1e-5): void {
  const largest = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((one, at) => Math.abs(one - (actual[at] ?? Number.NaN))));
  assert.ok(worst <= share * largest, `off by ${worst} of ${largest}`);
}

for (const kernel of KERNELS) {
  describe(`dynamic quantization by row (${kernel})`, () => {
    it('is the product of rounded rows', async () => {
      const x = rows(3);
      const { model, found } = rewritten(oneLayer(kernel));
      assert.deepEqual(found, { byRow: 1, perTensor: 0 });
      const y = await run(model, x, [3, WIDTH]);
      for (const row of [0, 1, 2]) {
        const [from, to] = [row * WIDTH, (row + 1) * WIDTH];
        assertClose(y.subarray(from, to), expectedRow(model, x.slice(from, to)));
      }
    });

    it('gives a row the same bits alone as beside larger ones, as the export does not', async () => {
      const x = rows(3);
      const first = x.slice(0, WIDTH);
      const { model } = rewritten(matrixGraph(kernel, { width: WIDTH }));
      const together = await run(model, x, [3, WIDTH]);
      assert.deepEqual([...together.subarray(0, WIDTH)], [...(await run(model, first, [1, WIDTH]))]);
      const exported = matrixGraph(kernel, { width: WIDTH });
      assert.notDeepEqual(
        [...(await run(exported, x, [3, WIDTH])).subarray(0, WIDTH)],
        [...(await run(exported, first, [1, WIDTH]))],
      );
    });

    it('makes zeros of a row of zeros', async () => {
      const x = rows(2).fill(0, 0, WIDTH);
      const y = await run(rewritten(oneLayer(kernel)).model, x, [2, WIDTH]);
      assert.ok(y.subarray(0, WIDTH).every((one) => one === 0));
      assert.ok(y.subarray(WIDTH).some((one) => one !== 0));
    });

    it('makes NaN of a row of NaN, and of no other', async () => {
      const x = rows(2).fill(Number.NaN, 0, WIDTH);
      const y = await run(rewritten(oneLayer(kernel)).model, x, [2, WIDTH]);
      assert.ok(y.subarray(0, WIDTH).every(Number.isNaN));
      assert.ok(y.subarray(WIDTH).every(Number.isFinite));
    });

    for (const opset of [11, 13, 18]) {
      it(`in a graph of operator set ${opset}`, async () => {
        const x = rows(1);
        const { model } = rewritten(oneLayer(kernel, opset));
        assertClose(await run(model, x, [1, WIDTH]), expectedRow(model, x));
      });
    }
  });
}

describe('dynamic quantization of pictures', () => {
  /** `x [images, 2, 4, 4]`, a kernel of 3 by 3. */
  const convolution = (): OnnxModel => ({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'convolution',
      node: [
        node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']),
        node('ConvInteger', ['q', 'w', 'zero'], ['sums']),
        node('Cast', ['sums'], ['cast'], [intAttribute('to', 1)]),
        node('Mul', ['scale', 'w_scale'], ['scales']),
        node('Mul', ['cast', 'scales'], ['y']),
      ],
      initializer: [
        int8s(
          'w',
          [1, 2, 3, 3],
          Array.from({ length: 18 }, (_, at) => 11 * (at - 9)),
        ),
        floats('w_scale', [], [0.01]),
      ],
      input: [value('x', 'float32', ['images', 2, 4, 4])],
      output: [value('y', 'float32', ['images', 1, 2, 2])],
    },
  });

  it('gives a picture the same bits alone as beside a brighter one', async () => {
    const x = rows(2, 32);
    const { model, found } = rewritten(convolution());
    assert.deepEqual(found, { byRow: 1, perTensor: 0 });
    const together = await run(model, x, [2, 2, 4, 4]);
    const alone = await run(model, x.slice(0, 32), [1, 2, 4, 4]);
    assert.deepEqual([...together.subarray(0, 4)], [...alone]);
    assertClose(alone, [...(await run(convolution(), x.slice(0, 32), [1, 2, 4, 4]))], 0.02);
  });
});

describe('dynamic quantization that is left as it came', () => {
  const left = (change: (nodes: OnnxNode[], model: OnnxModel) => void) => {
    const model = oneLayer('DynamicQuantizeMatMul');
    change(model.graph?.node ?? [], model);
    return rewritten(model);
  };

  it('when something else reads the bytes', async () => {
    const { model, found } = left((nodes, { graph }) => {
      nodes.push(node('DequantizeLinear', ['w0.q', 'w0.scale', 'w0.zero'], ['again']));
      graph?.output?.push(value('again', 'float32', ['rows', WIDTH]));
    });
    assert.deepEqual(found, { byRow: 0, perTensor: 1 });
    const x = rows(2);
    const expected = await run(oneLayer('DynamicQuantizeMatMul'), x, [2, WIDTH]);
    assert.deepEqual([...(await run(model, x, [2, WIDTH]))], [...expected]);
  });

  it('when the bytes are an output', () => {
    const { found } = left((_, { graph }) => graph?.output?.push(value('w0.q', 'uint8', ['rows', WIDTH])));
    assert.deepEqual(found, { byRow: 0, perTensor: 1 });
  });

  it('when the other side of the product is no constant', () => {
    const { found } = left((nodes, { graph }) => {
      const weights = graph?.initializer?.find(({ name }) => name === 'w0');
      if (weights !== undefined) weights.name = 'constant';
      nodes.unshift(node('Identity', ['constant'], ['w0']));
    });
    assert.deepEqual(found, { byRow: 0, perTensor: 1 });
  });

  it('when the scale is used for more than the product', () => {
    const { found } = left((nodes, { graph }) => {
      nodes.push(node('Neg', ['w0.scale'], ['negative']));
      graph?.output?.push(value('negative', 'float32', []));
    });
    assert.deepEqual(found, { byRow: 0, perTensor: 1 });
  });

  it('when products of both kinds read it', () => {
    const { found } = left((nodes, { graph }) => {
      graph?.initializer?.push(uint8s('kernel', [1, 1, 1, 1], [1]));
      nodes.push(node('ConvInteger', ['w0.q', 'kernel', 'w0.zero'], ['sums']));
      graph?.output?.push(value('sums', 'int32', []));
    });
    assert.deepEqual(found, { byRow: 0, perTensor: 1 });
  });
});
