import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData } from '../../../actors/inference/ort-session.ts';
import type { OnnxModel, OnnxNode, OnnxTensor } from '../../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../../actors/model/rewrite/graph-editor.ts';
import { joinProducts } from '../../../actors/model/rewrite/joined-products.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import {
  floats,
  int8s,
  intAttribute,
  node,
  TYPE,
  uint8s,
  value,
} from '../../fixtures/graphs/graph-builder.ts';
import { sessionOf } from '../pd/support/group-query.ts';

const INPUTS = 64;
const BLOCK = 32;
/** Of three products. */
const WIDTHS = [48, 16, 80] as const;
const MICROSOFT = 'com.microsoft';

type Made = { readonly node: OnnxNode; readonly weights: readonly OnnxTensor[]; readonly cast?: OnnxNode };
type Kind = (random: SeededRandom, index: number, width: number) => Made;

const some = (random: SeededRandom, count: number, size: number) =>
  Array.from({ length: count }, () => (random.nextFloat() - 0.5) * size);
const bytes = (random: SeededRandom, count: number) =>
  Array.from({ length: count }, () => Math.floor(random.nextFloat() * 256));

const float: Kind = (random, index, width) => ({
  node: node('MatMul', ['x', `w${index}`], [`y${index}`]),
  weights: [floats(`w${index}`, [INPUTS, width], some(random, INPUTS * width, 1))],
});

/** Kept in 16 bits, as files are that shall be small. */
const halves: Kind = (random, index, width) => ({
  ...float(random, index, width),
  weights: [
    {
      name: `h${index}`,
      dims: [INPUTS, width],
      dataType: TYPE.float16,
      rawData: Uint8Array.from(
        Array.from({ length: INPUTS * width }, () => [bytes(random, 1)[0] ?? 0, 0x3c]).flat(),
      ),
    },
  ],
  cast: node('Cast', [`h${index}`], [`w${index}`], [intAttribute('to', TYPE.float32)]),
});

const nBits =
  (bits: 4 | 8): Kind =>
  (random, index, width) => {
    const [blocks, size] = [INPUTS / BLOCK, (BLOCK * bits) / 8];
    const zeros = Math.ceil((blocks * bits) / 8);
    return {
      node: node(
        'MatMulNBits',
        ['x', `w${index}`, `s${index}`, `z${index}`],
        [`y${index}`],
        Object.entries({ K: INPUTS, N: width, bits, block_size: BLOCK, accuracy_level: 4 }).map(([name, i]) =>
          intAttribute(name, i),
        ),
        MICROSOFT,
      ),
      weights: [
        uint8s(`w${index}`, [width, blocks, size], bytes(random, width * blocks * size)),
        floats(`s${index}`, [width * blocks], some(random, width * blocks, 0.1)),
        uint8s(`z${index}`, [width * zeros], bytes(random, width * zeros)),
      ],
    };
  };

/** One scale for a whole matrix, another for each. */
const integer: Kind = (random, index, width) => ({
  node: node(
    'MatMulIntegerToFloat',
    ['x_bytes', `w${index}`, 'level', `s${index}`, 'zero', `z${index}`],
    [`y${index}`],
    [],
    MICROSOFT,
  ),
  weights: [
    int8s(`w${index}`, [INPUTS, width], bytes(random, INPUTS * width)),
    floats(`s${index}`, [], [0.001 * (index + 1)]),
    int8s(`z${index}`, [], [index]),
  ],
});

function modelOf(kind: Kind, widths: readonly number[] = WIDTHS): OnnxModel {
  const random = new SeededRandom(3);
  const made = widths.map((width, index) => kind(random, index, width));
  return {
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: {
      name: 'products',
      input: [value('x', 'float32', ['rows', INPUTS])],
      output: widths.map((width, index) => value(`y${index}`, 'float32', ['rows', width])),
      node: [
        node('QuantizeLinear', ['x', 'level', 'zero'], ['x_bytes']),
        ...made.flatMap((one) => [...(one.cast ? [one.cast] : []), one.node]),
      ],
      initializer: [
        floats('level', [], [0.01]),
        uint8s('zero', [], [128]),
        ...made.flatMap(({ weights }) => weights),
      ],
    },
  };
}

function joined(model: OnnxModel): number {
  const editor = new GraphEditor(model);
  const count = joinProducts(editor);
  editor.finish();
  return count;
}

async function run(model: OnnxModel, rows: number): Promise<Float32Array[]> {
  const session = await sessionOf(model);
  const x = Float32Array.from(some(new SeededRandom(9), rows * INPUTS, 2));
  const names = WIDTHS.map((_, index) => `y${index}`);
  const outputs = await session.run({ x: new Tensor('float32', x, [rows, INPUTS]) }, names);
  await session.release();
  return names.map((name) => floatData(outputs[name]));
}

const count = ({ graph }: OnnxModel, opType: string) =>
  (graph?.node ?? []).filter((one) => one.opType === opType).length;

for (const [name, opType, kind] of [
  ['floats', 'MatMul', float],
  ['floats, kept in 16 bits', 'MatMul', halves],
  ['4 bits', 'MatMulNBits', nBits(4)],
  ['8 bits in blocks', 'MatMulNBits', nBits(8)],
] as const) {
  describe(`products of the same numbers with weights in ${name}`, () => {
    for (const rows of [1, 5, 40]) {
      it(`are one product, and give the same bits, with ${rows} rows`, async () => {
        const model = modelOf(kind);
        assert.equal(joined(model), WIDTHS.length);
        assert.equal(count(model, opType), 1);
        assert.deepEqual(await run(model, rows), await run(modelOf(kind), rows));
      });
    }
  });
}

describe('products that stay as they are', () => {
  it('those whose weights something else reads too', () => {
    const model = modelOf(float);
    model.graph?.node?.push(node('Transpose', ['w0'], ['turned']));
    model.graph?.output?.push(value('turned', 'float32', [WIDTHS[0], INPUTS]));
    assert.equal(joined(model), 2);
  });

  it('those whose last columns a kernel takes in another way', () => {
    assert.equal(joined(modelOf(nBits(4), [48, 40, 16])), 2);
  });

  it('those of other numbers', () => {
    const model = modelOf(float);
    model.graph?.input?.push(value('other', 'float32', ['rows', INPUTS]));
    model.graph?.node?.[2]?.input?.splice(0, 1, 'other');
    assert.equal(joined(model), 2);
  });

  it('those of bytes', () => {
    assert.equal(joined(modelOf(integer)), 0);
  });

  it('those of another accuracy', () => {
    const model = modelOf(nBits(4));
    const last = model.graph?.node?.at(-1);
    if (last?.attribute) last.attribute = last.attribute.filter(({ name }) => name !== 'accuracy_level');
    assert.equal(joined(model), 2);
  });

  it('those of which weights are no constants', () => {
    const model = modelOf(float);
    model.graph?.input?.push(value('w1', 'float32', [INPUTS, WIDTHS[1]]));
    const tensors = model.graph?.initializer ?? [];
    tensors.splice(
      tensors.findIndex(({ name }) => name === 'w1'),
      1,
    );
    assert.equal(joined(model), 2);
  });
});
