import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData } from '../../../actors/inference/ort-session.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../../actors/model/rewrite/graph-editor.ts';
import { maskAsBias } from '../../../actors/model/rewrite/mask-as-bias.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { floats, intAttribute, node, value } from '../../fixtures/graphs/graph-builder.ts';
import { sessionOf } from '../pd/support/group-query.ts';

const [ROWS, QUERIES, KEYS, WIDTH] = [2, 3, 5, 8];
const OPERATOR = 'MultiHeadAttention';

/** Two operators in a row, both with the same mask. @param further inputs behind `key_padding_mask` */
function attention(mask: string, ...further: string[]): OnnxModel {
  const heads = [intAttribute('num_heads', 2)];
  const inputs = (query: string) => [query, 'k', 'v', '', mask, ...further];
  return {
    irVersion: 8n,
    opsetImport: [
      { domain: '', version: 17n },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: {
      name: 'attention',
      node: [
        node(OPERATOR, inputs('q'), ['first'], heads, 'com.microsoft'),
        node(OPERATOR, inputs('first'), ['y'], heads, 'com.microsoft'),
      ],
      initializer: [floats('given_bias', [1, 1, QUERIES, KEYS], new Float32Array(QUERIES * KEYS))],
      input: [
        value('q', 'float32', ['batch', 'queries', WIDTH]),
        value('k', 'float32', ['batch', 'keys', WIDTH]),
        value('v', 'float32', ['batch', 'keys', WIDTH]),
        value('mask', 'int32', ['batch', 'keys']),
      ],
      output: [value('y', 'float32', ['batch', 'queries', WIDTH])],
    },
  };
}

function rewritten(model: OnnxModel): number {
  const editor = new GraphEditor(model);
  const changed = maskAsBias(editor);
  editor.finish();
  return changed;
}

async function run(model: OnnxModel): Promise<Float32Array> {
  const random = new SeededRandom(3);
  const tensor = (length: number) => {
    const numbers = Float32Array.from({ length: ROWS * length * WIDTH }, () => random.nextFloat() * 4 - 2);
    return new Tensor('float32', numbers, [ROWS, length, WIDTH]);
  };
  const mask = new Tensor('int32', Int32Array.of(1, 1, 0, 0, 0, 0, 1, 1, 1, 0), [ROWS, KEYS]);
  const feeds = { q: tensor(QUERIES), k: tensor(KEYS), v: tensor(KEYS), mask };
  const session = await sessionOf(model);
  try {
    return floatData((await session.run(feeds, ['y'])).y);
  } finally {
    await session.release();
  }
}

describe('masks of keys as biases', () => {
  it('hide the same keys of each row', async () => {
    const expected = await run(attention('mask'));
    const model = attention('mask');
    assert.equal(rewritten(model), 2);
    for (const { opType, input = [] } of model.graph?.node ?? []) {
      if (opType === OPERATOR) assert.equal(input[4], '');
    }
    const actual = await run(model);
    const worst = Math.max(...expected.map((one, at) => Math.abs(one - (actual[at] ?? Number.NaN))));
    assert(worst < 1e-6, `differs by ${worst}`);
  });

  it('are left where there is no mask, or a bias already', () => {
    for (const model of [attention(''), attention('mask', 'given_bias')]) {
      const before = structuredClone(model.graph?.node);
      assert.equal(rewritten(model), 0);
      assert.deepEqual(model.graph?.node, before);
    }
  });
});
