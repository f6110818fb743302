/** The decoder for WebGPU, run on the CPU against the one that it was made from. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { OrtSession } from '../../../actors/inference/ort-session.ts';
import { decodeModel, encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { NotRewritable } from '../../../actors/model/rewrite/not-rewritable.ts';
import { rewriteForWebGpu } from '../../../actors/model/rewrite/webgpu-decoder.ts';
import { Predictions } from '../../../actors/pd/runner/predictions.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { writeDecoder } from '../../../bench/generated-model/decoder-graph.ts';
import type { AttentionKind, ModelShape } from '../../../bench/generated-model/shape.ts';
import { shapeOf } from '../../../bench/generated-model/shapes.ts';
import { GROUP_QUERY, groupQueryDecoder } from '../../fixtures/graphs/group-query-decoder.ts';

const WHOLE = shapeOf('smolvlm-256m');
const SHAPE: ModelShape = {
  ...WHOLE,
  vocabulary: 96,
  contextLength: 64,
  text: { ...WHOLE.text, layers: 5, hidden: 32, mlp: 64, heads: 4, kvHeads: 2, headDim: 16 },
};
const { hidden } = SHAPE.text;
/** Of the first run, and of those after it. */
const RUNS = [7, 1, 1, 3, 1];
/** More than all of them need, and than the model has positions: the rewritten decoder writes into places that are there. */
const PLACES = 96;

describe('a decoder that was rewritten for WebGPU', () => {
  let folder: string;
  let model: OnnxModel;
  let sessions: readonly OrtSession[];

  const made = async (attention: AttentionKind): Promise<string> => {
    const path = join(folder, `${attention}.onnx`);
    await writeDecoder({ path, shape: SHAPE, precision: 'fp32', attention, firstWord: 0 }, () => {});
    return path;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-webgpu-'));
    const path = await made('gqa');
    model = decodeModel(await readFile(path));
    rewriteForWebGpu(model, SHAPE.vocabulary);
    const rewritten = join(folder, 'rewritten.onnx');
    await writeFile(rewritten, encodeModel(model));
    sessions = [
      await OrtSession.load(path, { threads: 1 }),
      await OrtSession.load(rewritten, { threads: 1 }),
    ];
  });
  after(async () => {
    for (const session of sessions) await session.release();
    await rm(folder, { recursive: true });
  });

  it('predicts the same tokens from the same logits, run after run', async () => {
    const [expected, given] = [await predicted(sessions[0], 0), await predicted(sessions[1], PLACES)];
    for (const [run, { logits, likeliest }] of expected.entries()) {
      const other = given[run];
      assert.equal(other?.likeliest, likeliest);
      for (const [token, logit] of logits.entries()) {
        assert(Math.abs(logit - (other?.logits[token] ?? Number.NaN)) < 1e-4, `run ${run}, token ${token}`);
      }
    }
    assert(new Set(expected.map(({ likeliest }) => likeliest)).size > 1);
  });

  it('has a product and an operator for the attention of a layer, and one for each norm behind a sum', () => {
    const counts = new Map<string, number>();
    for (const { opType = '' } of model.graph?.node ?? []) counts.set(opType, (counts.get(opType) ?? 0) + 1);
    const { layers } = SHAPE.text;
    // q, k and v in one; o, gate, up, down; the head.
    assert.equal(counts.get('MatMul'), 5 * layers + 1);
    assert.equal(counts.get('RotaryEmbedding'), undefined);
    // The last sum is cut before it is normalized.
    assert.equal(counts.get('SkipSimplifiedLayerNormalization'), 2 * layers - 1);
  });

  it('has keys and values of four layers in one input and one output, and three numbers a token', () => {
    const names = (values: readonly { readonly name?: string }[] = []) => values.map(({ name = '' }) => name);
    const pasts = names(model.graph?.input).filter((name) => name.startsWith('past'));
    assert.deepEqual(pasts, ['past_key_values.stack.0', 'past_key_values.stack.1']);
    assert.deepEqual(names(model.graph?.output), [
      'logits',
      'present.stack.0',
      'present.stack.1',
      'likeliest.all',
    ]);
  });

  it('is not made of one whose attention has a window', () => {
    const windowed = groupQueryDecoder('float32', undefined, { windows: [4, undefined] });
    assert.throws(() => rewriteForWebGpu(windowed, GROUP_QUERY.vocabulary), NotRewritable);
  });

  it('is not made of one whose attention is written out', async () => {
    const other = decodeModel(await readFile(await made('concat')));
    assert.throws(() => rewriteForWebGpu(other, SHAPE.vocabulary), NotRewritable);
  });
});

/** What each run predicts, from a past with so many places on. */
async function predicted(session: OrtSession | undefined, places: number) {
  assert(session !== undefined);
  const random = new SeededRandom(3);
  const caches = [...session.inputs.values()].filter(({ name }) => name.startsWith('past'));
  let past: Tensors = Object.fromEntries(
    caches.map(({ name, shape }) => {
      const dims = [1, Number(shape[1]), places, Number(shape[3])];
      return [name, new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)];
    }),
  );
  const found: { readonly logits: Float32Array; readonly likeliest: number }[] = [];
  let length = 0;
  for (const count of RUNS) {
    const embeds = Float32Array.from({ length: count * hidden }, () => random.nextFloat() - 0.5);
    const positions = Array.from({ length: count }, (_, index) => length + index);
    length += count;
    const outputs = await session.run(
      {
        ...past,
        inputs_embeds: new Tensor('float32', embeds, [1, count, hidden]),
        attention_mask: int64(Array<number>(length).fill(1), [1, length]),
        position_ids: int64(positions, [1, count]),
        num_logits_to_keep: int64([1], []),
      },
      [...session.outputs.keys()],
    );
    past = Object.fromEntries(
      caches.flatMap(({ name }) => {
        const present = outputs[name.replace('past_key_values', 'present')];
        return present === undefined ? [] : [[name, present] as const];
      }),
    );
    const predictions = new Predictions(outputs);
    found.push({ logits: predictions.logits(0), likeliest: predictions.likeliest(0) });
  }
  return found;
}

function int64(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}
