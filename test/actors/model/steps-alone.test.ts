import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { GraphSession, Tensors } from '../../../actors/inference/graph-session.ts';
import { loadSteps, stepsGraph } from '../../../actors/inference/load-steps.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession } from '../../../actors/inference/ort-session.ts';
import { packedGraph } from '../../../actors/inference/packed-graph.ts';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { LIKELIEST } from '../../../actors/model/rewrite/likeliest.ts';
import { NotRewritable } from '../../../actors/model/rewrite/not-rewritable.ts';
import { rewriteDecoder } from '../../../actors/model/rewrite/rewrite-decoder.ts';
import { IS_STEP } from '../../../actors/model/rewrite/step-attention.ts';
import { keepSteps, NEW_ROWS } from '../../../actors/model/rewrite/steps-alone.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { ownCache } from '../../support/own-cache.ts';
import { sessionOf } from '../pd/support/group-query.ts';
import { CONCAT, type DecoderKind, kinds } from './support/decoder-kinds.ts';

const CAPACITY = 12;
/** Rows of one step, by how many tokens each holds. */
const BATCHES: readonly (readonly number[])[] = [[9], [12], [3, 12, 7]];

const FACTS = { rewritten: true, attention: 'split', quantization: { byRow: 0, perTensor: 0 } } as const;

type Shape = DecoderKind['shape'];

async function rewritten({ model, shape }: DecoderKind): Promise<OnnxModel> {
  const decoder = await model();
  rewriteDecoder(decoder, shape);
  return decoder;
}

/** One new token in each row, on a past whose free places hold rubbish. */
function stepFeeds({ inputs }: GraphSession, shape: Shape, lengths: readonly number[]): Tensors {
  const random = new SeededRandom(5);
  const floats = (count: number) => Float32Array.from({ length: count }, () => random.nextFloat() - 0.5);
  const rows = lengths.length;
  const int64 = (values: readonly number[], dims: readonly number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  const width = CAPACITY + 1;
  const mask = lengths.flatMap((length) =>
    Array.from({ length: width }, (_, at) => Number(at < length || at === CAPACITY)),
  );
  const ids = lengths.map((length) => (7 * length + 3) % 60);
  const all: Tensors = {
    input_ids: int64(ids, [rows, 1]),
    inputs_embeds: new Tensor('float32', floats(rows * shape.hidden), [rows, 1, shape.hidden]),
    attention_mask: int64(mask, [rows, width]),
    position_ids: int64([...lengths], [rows, 1]),
    num_logits_to_keep: int64([1], []),
  };
  const dims = [rows, shape.kvHeads, CAPACITY, shape.headDim];
  const size = dims.reduce((product, dim) => product * dim, 1);
  const feeds: Tensors = {};
  for (const name of inputs.keys()) feeds[name] = all[name] ?? new Tensor('float32', floats(size), dims);
  return feeds;
}

/** Of all ports, in the graph's order. */
function newRowsOf({ inputs }: GraphSession, outputs: Tensors): number[] {
  const news = [...inputs.keys()]
    .filter((name) => name.startsWith('past_key_values.'))
    .map((name) => name.replace('past_key_values', 'new'));
  return news.flatMap((name) => [...floatData(outputs[name])]);
}

async function assertSameSteps(whole: GraphSession, steps: GraphSession, shape: Shape): Promise<void> {
  const common = ['logits', LIKELIEST.logit, LIKELIEST.sum];
  for (const lengths of BATCHES) {
    const feeds = stepFeeds(whole, shape, lengths);
    const expected = await whole.run(feeds, [...whole.outputs.keys()]);
    const actual = await steps.run(feeds, [...steps.outputs.keys()]);
    for (const name of common) {
      assert.deepEqual(floatData(actual[name]), floatData(expected[name]), `${name}, ${lengths} tokens`);
    }
    assert.deepEqual(actual[LIKELIEST.token]?.data, expected[LIKELIEST.token]?.data);
    assert.deepEqual([...floatData(actual[NEW_ROWS])], newRowsOf(whole, expected), `${lengths} tokens`);
  }
}

/** A model directory with a rewritten decoder whose weights are packed into a file. */
async function packedDecoder(t: TestContext, kind: DecoderKind): Promise<string> {
  const { folder } = await ownCache(t);
  const path = join(folder, 'decoder.onnx');
  await writeFile(path, encodeModel(await rewritten(kind)));
  const packed = await packedGraph({ path, weightFiles: [] });
  assert.ok(packed.packed, packed.packed ? '' : packed.reason);
  return packed.path;
}

describe('the graph of steps', () => {
  for (const kind of kinds.filter((one) => one !== CONCAT)) {
    it(`gives the same bits as the decoder it is of: ${kind.name}`, async () => {
      const whole = await sessionOf(await rewritten(kind));
      const model = await rewritten(kind);
      assert.equal(keepSteps(model), true);
      const steps = await sessionOf(model);
      await assertSameSteps(whole, steps, kind.shape);
      await Promise.all([whole.release(), steps.release()]);
    });
  }

  it('is made of a packed decoder, and gives the same bits as that', async (t) => {
    const [, kind] = kinds;
    assert.ok(kind !== undefined);
    const path = await packedDecoder(t, kind);
    const whole = await OrtSession.load(path, { threads: 2 });
    const graph = await stepsGraph({ rewrite: { ...FACTS, path } });
    const steps = graph && (await loadSteps(graph, 2));
    assert.ok(steps !== undefined);
    await assertSameSteps(whole, steps, kind.shape);
    await Promise.all([whole.release(), steps.release()]);
  });

  it('is not made of a decoder that packs its weights in memory', async (t) => {
    const [, kind] = kinds;
    assert.ok(kind !== undefined);
    const path = join(dirname(await packedDecoder(t, kind)), 'other.onnx');
    await writeFile(path, encodeModel(await rewritten(kind)));
    assert.equal(await stepsGraph({ rewrite: { ...FACTS, path } }), undefined);
  });

  it('has no branches and no operator for prompts', async () => {
    for (const kind of kinds.filter((one) => one !== CONCAT)) {
      const model = await rewritten(kind);
      keepSteps(model);
      const types = new Set(model.graph?.node?.map(({ opType }) => opType));
      assert.ok(!types.has('If') && !types.has('GroupQueryAttention'), kind.name);
    }
  });

  it('hands the new rows over by one operator', async () => {
    for (const kind of kinds.filter((one) => one !== CONCAT)) {
      const model = await rewritten(kind);
      keepSteps(model);
      const nodes = model.graph?.node ?? [];
      const joint = nodes.find(({ output }) => output?.includes(NEW_ROWS));
      assert.equal(joint?.input?.length, 2 * kind.shape.layers, kind.name);
      // Each of them is what attention reads, and not made for the output.
      for (const name of joint.input ?? []) {
        assert.ok(
          nodes.some((node) => node !== joint && node.input?.includes(name)),
          `${kind.name}, ${name}`,
        );
      }
    }
  });

  it('is not made of a decoder that has one way for prompts and steps', async () => {
    const model = await rewritten(CONCAT);
    const before = encodeModel(model);
    assert.equal(keepSteps(model), false);
    assert.deepEqual(encodeModel(model), before);
  });

  it('is refused where two branches share a name', async () => {
    const [, kind] = kinds;
    assert.ok(kind !== undefined);
    const model = await rewritten(kind);
    const branch = model.graph?.node
      ?.find(({ opType, input }) => opType === 'If' && input?.[0] === IS_STEP)
      ?.attribute?.find(({ name }) => name === 'then_branch')?.g;
    branch?.node?.push({ opType: 'Identity', input: ['logits'], output: ['logits'] });
    assert.throws(() => keepSteps(model), NotRewritable);
  });
});
