import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sumsBytesExactly } from '../../../actors/cpu-identity.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession } from '../../../actors/inference/ort-session.ts';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { TensorReader } from '../../../actors/model/onnx/tensor-reader.ts';
import { multiplyInEightBits } from '../../../actors/model/rewrite/eight-bit-products.ts';
import { eightBitWeights, largestLevel } from '../../../actors/model/rewrite/eight-bit-weights.ts';
import { GraphEditor } from '../../../actors/model/rewrite/graph-editor.ts';
import { WeightsFile } from '../../../actors/model/rewrite/weights-file.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { floats, intAttribute, node, uint8s, value } from '../../fixtures/graphs/graph-builder.ts';

const K = 80;
const N = 24;
const BLOCK = 32;
const BLOCKS = Math.ceil(K / BLOCK);

interface Product {
  readonly zeros?: 'packed' | 'floats';
  readonly halfScales?: boolean;
  readonly bias?: boolean;
  /** Inputs of the product beyond those. */
  readonly order?: boolean;
  readonly bits?: 4 | 8;
  /** Name of its result. */
  readonly output?: string;
}

/** `x [rows, 80]` · 4-bit weights `[80, 24]`, the last block in part, each block with another scale. */
function product({ zeros, halfScales, bias, order, bits = 4, output = 'y' }: Product = {}): OnnxModel {
  const random = new SeededRandom(7);
  const list = (count: number, of: (random: number) => number) =>
    Array.from({ length: count }, () => of(random.nextFloat()));
  const byte = (one: number) => Math.floor(one * 256);
  const width = (BLOCK * bits) / 8;
  const scales = list(N * BLOCKS, (one) => 0.001 + one * 0.02);
  const inputs = [
    'x',
    'w',
    'scales',
    zeros === undefined ? '' : 'zeros',
    order ? 'order' : '',
    bias ? 'bias' : '',
  ];
  while (inputs.at(-1) === '') inputs.pop();
  const sizes = { K, N, bits, block_size: BLOCK, accuracy_level: 1 };
  const half = {
    name: 'scales16',
    dims: [N * BLOCKS],
    dataType: 10,
    rawData: new Uint8Array(halves(scales).buffer),
  };
  return {
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'product',
      node: [
        ...(halfScales ? [node('Cast', ['scales16'], ['scales'], [intAttribute('to', 1)])] : []),
        node(
          'MatMulNBits',
          inputs,
          [output],
          Object.entries(sizes).map(([name, i]) => intAttribute(name, i)),
          'com.microsoft',
        ),
      ],
      initializer: [
        uint8s('w', [N, BLOCKS, width], list(N * BLOCKS * width, byte)),
        halfScales ? half : floats('scales', [N * BLOCKS], scales),
        ...(zeros === 'packed'
          ? [uint8s('zeros', [N * Math.ceil(BLOCKS / 2)], list(N * Math.ceil(BLOCKS / 2), byte))]
          : []),
        ...(zeros === 'floats'
          ? [
              floats(
                'zeros',
                [N * BLOCKS],
                list(N * BLOCKS, (one) => 15 * one),
              ),
            ]
          : []),
        ...(order
          ? [{ name: 'order', dims: [BLOCKS * BLOCK], dataType: 6, int32Data: list(BLOCKS * BLOCK, () => 0) }]
          : []),
        ...(bias
          ? [
              floats(
                'bias',
                [N],
                list(N, (one) => one - 0.5),
              ),
            ]
          : []),
      ],
      input: [value('x', 'float32', ['rows', K])],
      output: [value(output, 'float32', ['rows', N])],
    },
  };
}

/** Powers of two near the numbers, which 16 bits have exactly. */
function halves(numbers: readonly number[]): Uint16Array {
  return Uint16Array.from(numbers, (one) => (15 + Math.round(Math.log2(one))) << 10);
}

let folder: string;
let made = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-eight-bit-'));
});
after(() => rm(folder, { recursive: true }));

/** How many products are in 8 bits now, and the graph. */
function rewritten(model: OnnxModel): { readonly count: number; readonly model: OnnxModel } {
  const editor = new GraphEditor(model);
  made += 1;
  using target = new WeightsFile(join(folder, `weights-${made}`));
  const count = multiplyInEightBits(editor, { source: new TensorReader(folder), target });
  editor.finish();
  return { count, model };
}

async function run(model: OnnxModel, x: Float32Array): Promise<Float32Array> {
  made += 1;
  const path = join(folder, `graph-${made}.onnx`);
  await writeFile(path, encodeModel(model));
  const session = await OrtSession.load(path, { threads: 1 });
  const { y } = await session.run({ x: new Tensor('float32', x, [x.length / K, K]) }, ['y']);
  await session.release();
  return floatData(y);
}

function rows(count: number): Float32Array {
  const random = new SeededRandom(3);
  return Float32Array.from(
    { length: count * K },
    (_, at) => (random.nextFloat() - 0.5) * 10 ** Math.floor(at / K),
  );
}

/** One row for each weight of a column: what comes out are the weights. */
const IDENTITY = Float32Array.from({ length: K * K }, (_, at) => (at % (K + 1) === 0 ? 1 : 0));

describe('products with 4-bit weights, in 8 bits', () => {
  for (const kind of [
    {},
    { zeros: 'packed' },
    { zeros: 'floats' },
    { halfScales: true },
    { bias: true },
  ] as const) {
    it(`have weights within half a level of onnxruntime's own: ${JSON.stringify(kind)}`, async () => {
      const exact = await run(product(kind), IDENTITY);
      const { count, model } = rewritten(product(kind));
      assert.equal(count, 1);
      assert.ok(!model.graph?.node?.some(({ opType }) => opType === 'MatMulNBits'));
      const ours = await run(model, IDENTITY);
      const bias = 'bias' in kind ? await run(product(kind), new Float32Array(K)) : new Float32Array(N);
      for (let n = 0; n < N; n++) {
        const column = Array.from({ length: K }, (_, k) => (exact[k * N + n] ?? 0) - (bias[n] ?? 0));
        const level = Math.max(...column.map(Math.abs)) / largestLevel();
        const off = column.map((weight, k) => Math.abs((ours[k * N + n] ?? 0) - (bias[n] ?? 0) - weight));
        assert.ok(
          Math.max(...off) <= level * 0.501,
          `column ${n}: off by ${Math.max(...off)} at a level of ${level}`,
        );
        assert.ok(Math.max(...off) > 0, 'rounded');
      }
    });
  }

  it('give a row the same bits alone as beside larger ones', async () => {
    const { model } = rewritten(product());
    const x = rows(3);
    const together = await run(model, x);
    for (const row of [0, 1, 2]) {
      const alone = await run(model, x.slice(row * K, (row + 1) * K));
      assert.deepEqual([...together.subarray(row * N, (row + 1) * N)], [...alone]);
    }
  });

  it('quantize what several of them read once', () => {
    const model = product();
    const nodes = model.graph?.node ?? [];
    nodes.push({ ...nodes[0], output: ['z'] });
    model.graph?.output?.push(value('z', 'float32', ['rows', N]));
    const { count } = rewritten(model);
    const quantizers = model.graph?.node?.filter(({ opType }) => opType === 'QuantizeLinear');
    assert.deepEqual([count, quantizers?.length], [2, 1]);
  });

  for (const [why, kind] of [
    ['they make the logits', { output: 'logits' }],
    ['they have 8 bits already', { bits: 8 }],
    ['they take the rows in another order', { order: true }],
  ] as const) {
    it(`stay where ${why}`, () => assert.equal(rewritten(product(kind)).count, 0));
  }

  it('leave nothing of the weights in 4 bits', () => {
    const names = rewritten(product()).model.graph?.initializer?.map(({ name }) => name);
    assert.ok(names?.every((name) => name !== 'w' && name !== 'scales'));
  });

  it('are not made of scales that are no numbers', () => {
    const weights = { levels: new Uint8Array(16), zeros: undefined, rows: 32, columns: 1, block: 32 };
    assert.equal(eightBitWeights({ ...weights, scales: Float32Array.of(Number.NaN) }), undefined);
    assert.equal(
      eightBitWeights({ ...weights, scales: Float32Array.of(Number.POSITIVE_INFINITY) }),
      undefined,
    );
  });

  it('have levels that no pair of products saturates with, where pairs are added in 16 bits', () => {
    const levels = Uint8Array.from({ length: 16 }, (_, at) => at * 16);
    const weights = {
      levels,
      scales: Float32Array.of(0.5),
      zeros: undefined,
      rows: 32,
      columns: 1,
      block: 32,
    };
    const most = largestLevel(sumsBytesExactly('x64', 'avx2 avx512f'));
    const made = eightBitWeights(weights, most)?.levels ?? new Int8Array();
    assert.equal(Math.max(...made.map(Math.abs)), most);
    assert.ok(2 * 255 * most < 2 ** 15);
    for (const [arch, flags] of [
      ['x64', 'avx2 avx_vnni'],
      ['x64', 'avx512_vnni fma'],
      ['arm64', ''],
    ] as const) {
      assert.equal(largestLevel(sumsBytesExactly(arch, flags)), 127);
    }
  });

  it('are zeros in a column of zeros', () => {
    const levels = new Uint8Array(16).fill(0x88);
    const zero = eightBitWeights({
      levels,
      scales: Float32Array.of(1),
      zeros: undefined,
      rows: 32,
      columns: 1,
      block: 32,
    });
    assert.deepEqual(zero, { levels: new Int8Array(32), scales: Float32Array.of(0) });
  });

  it('are made of weights that lie in a list of numbers, too', async () => {
    const expected = await run(rewritten(product()).model, IDENTITY);
    const listed = product();
    const levels = listed.graph?.initializer?.find(({ name }) => name === 'w');
    assert.ok(levels?.rawData);
    levels.int32Data = [...levels.rawData];
    delete levels.rawData;
    assert.deepEqual(await run(rewritten(listed).model, IDENTITY), expected);
  });

  it('have their weights in one file, with those that came from another', async () => {
    const source = new TensorReader(folder);
    const bytes = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);
    using first = new WeightsFile(join(folder, 'first'));
    const tensor = {
      name: 't',
      dims: [5000],
      dataType: 2,
      ...first.append(bytes.subarray(0, 10)),
      ...first.append(bytes),
    };
    using second = new WeightsFile(join(folder, 'second'));
    second.adopt(tensor, source);
    second.adopt(tensor, source);
    assert.ok(tensor.externalData?.some(({ value: location }) => location === 'second'));
    assert.deepEqual(source.bytes(tensor), bytes);
    assert.ok((await readdir(folder)).includes('second'));
  });
});
