import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphSession } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../../actors/model/rewrite/graph-editor.ts';
import { addLikeliest, LIKELIEST } from '../../../actors/model/rewrite/likeliest.ts';
import { addLikeliestOnGpu, LIKELIEST_ON_GPU } from '../../../actors/model/rewrite/likeliest-on-gpu.ts';
import { Predictions } from '../../../actors/pd/runner/predictions.ts';
import { type ElementTypeName, node, value } from '../../fixtures/graphs/graph-builder.ts';
import { sessionOf } from '../pd/support/group-query.ts';

const SIZE = 5;

/** A decoder whose logits are what it is given. */
function echo(type: ElementTypeName = 'float32', opset = 17, add = addLikeliest): OnnxModel {
  const model: OnnxModel = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'echo',
      input: [value('given', type, ['rows', 'positions', SIZE])],
      node: [node('Identity', ['given'], ['logits'])],
      output: [value('logits', type, ['rows', 'positions', SIZE])],
    },
  };
  add(new GraphEditor(model));
  return model;
}

const outputsOf = (model: OnnxModel) => (model.graph?.output ?? []).map(({ name }) => name);

const forGpu = (editor: GraphEditor): void => void addLikeliestOnGpu(editor, SIZE);

for (const [where, opset, add, outputs] of [
  ['for the CPU', 17, addLikeliest, Object.values(LIKELIEST)],
  ['for a GPU', 17, forGpu, [LIKELIEST_ON_GPU]],
  ['for a GPU, in a newer operator set', 18, forGpu, [LIKELIEST_ON_GPU]],
] as const) {
  describe(`the likeliest token, chosen inside the graph ${where}`, () => {
    let session: GraphSession;
    before(async () => {
      session = await sessionOf(echo('float32', opset, add));
    });
    after(() => session.release());

    async function predicted(
      rows: readonly (readonly number[])[],
      fetches: readonly string[],
      positions = 1,
    ) {
      const dims = [rows.length / positions, positions, SIZE];
      const given = new Tensor('float32', Float32Array.from(rows.flat()), dims);
      return new Predictions(await session.run({ given }, fetches));
    }

    for (const [what, row, token] of [
      ['is the one with the largest logit', [1, -2, 7, 3, 6.5], 2],
      ['is the first of equals', [1, 4, 2, 4, 4], 1],
      ['may be negative', [-9, -3, -4, -5, -8], 1],
      ['may stand beside excluded ones', [-Infinity, -3, -Infinity, -2, -Infinity], 3],
      ['is none where the first number is NaN', [NaN, 1, 2, 3, 4], -1],
      ['is none where a later number is NaN', [4, 1, 2, NaN, 3], -1],
      ['is none where all are NaN', [NaN, NaN, NaN, NaN, NaN], -1],
      ['is none where one is infinite', [4, 1, Infinity, 2, 3], -1],
      ['is none where infinities cancel out', [4, -Infinity, Infinity, 2, 3], -1],
      ['is none where all are excluded', Array.from({ length: SIZE }, () => -Infinity), -1],
    ] as const) {
      it(`${what}, as it is of fetched logits`, async () => {
        const chosen = await predicted([row], outputs);
        const fetched = await predicted([row], ['logits']);
        assert.deepEqual([chosen.likeliest(0), fetched.likeliest(0)], [token, token]);
      });
    }

    it("is that of each row's last position", async () => {
      const rows = [
        [9, 0, 0, 0, 0],
        [0, 9, 0, 0, 0],
        [0, 0, 9, 0, 0],
        [0, 0, 0, 9, 0],
      ];
      const chosen = await predicted(rows, outputs, 2);
      assert.deepEqual([chosen.likeliest(0), chosen.likeliest(1)], [1, 3]);
    });

    it('comes without logits, and asking for them says so', async () => {
      const chosen = await predicted([[1, 2, 3, 4, 5]], outputs);
      assert.throws(() => chosen.logits(0), /were not fetched/);
    });
  });
}

describe('a graph that is left to its logits', () => {
  it('has them in 16 bits', () => assert.deepEqual(outputsOf(echo('float16')), ['logits']));
  it('is of an older operator set', () => assert.deepEqual(outputsOf(echo('float32', 12)), ['logits']));
});
