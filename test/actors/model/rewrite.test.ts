import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GraphSession, Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData } from '../../../actors/inference/ort-session.ts';
import { graphSignature } from '../../../actors/model/onnx/graph-signature.ts';
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../../actors/model/onnx/onnx-types.ts';
import { LIKELIEST } from '../../../actors/model/rewrite/likeliest.ts';
import { type RewrittenAttention, rewriteDecoder } from '../../../actors/model/rewrite/rewrite-decoder.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { node } from '../../fixtures/graphs/graph-builder.ts';
import { GROUP_QUERY, groupQueryDecoder } from '../../fixtures/graphs/group-query-decoder.ts';
import { quantizeModel } from '../../fixtures/graphs/quantized-model.ts';
import { sessionOf } from '../pd/support/group-query.ts';
import { CONCAT, type DecoderKind, kinds, PILOT_SHAPE, pilotDecoder } from './support/decoder-kinds.ts';

/** A run of new tokens on a past, with random numbers. `gap` places of the past are unused and hold rubbish. */
class Scene {
  readonly #kind: DecoderKind;
  readonly #random = new SeededRandom(11);
  readonly length: number;
  readonly count: number;
  readonly past: readonly Float32Array[];
  readonly tokens: Float32Array;
  readonly ids: BigInt64Array;

  constructor(kind: DecoderKind, length: number, count: number) {
    this.#kind = kind;
    this.length = length;
    this.count = count;
    const { kvHeads, headDim, layers, hidden } = kind.shape;
    const floats = (size: number) =>
      Float32Array.from({ length: size }, () => this.#random.nextFloat() - 0.5);
    this.past = Array.from({ length: 2 * layers }, () => floats(kvHeads * length * headDim));
    this.tokens = floats(count * hidden);
    this.ids = BigInt64Array.from({ length: count }, (_, i) => BigInt((7 * i + 3) % 60));
  }

  async run(session: GraphSession, gap: number, outputs: readonly string[]): Promise<Tensors> {
    const { kvHeads, headDim, layers, hidden } = this.#kind.shape;
    const { length, count } = this;
    const capacity = length + gap;
    const width = capacity + count;
    const mask = new BigInt64Array(width).fill(1n).fill(0n, length, capacity);
    const positions = BigInt64Array.from({ length: count }, (_, i) => BigInt(length + i));
    const all: Tensors = {
      inputs_embeds: new Tensor('float32', this.tokens, [1, count, hidden]),
      input_ids: new Tensor('int64', this.ids, [1, count]),
      attention_mask: new Tensor('int64', mask, [1, width]),
      position_ids: new Tensor('int64', positions, [1, count]),
      num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
    };
    for (let layer = 0; layer < layers; layer++) {
      for (const [index, kind] of ['key', 'value'].entries()) {
        const padded = new Float32Array(kvHeads * capacity * headDim).fill(77);
        const source = this.past[2 * layer + index] ?? new Float32Array(0);
        for (let head = 0; head < kvHeads; head++) {
          const line = source.subarray(head * length * headDim, (head + 1) * length * headDim);
          padded.set(line, head * capacity * headDim);
        }
        all[`past_key_values.${layer}.${kind}`] = new Tensor('float32', padded, [
          1,
          kvHeads,
          capacity,
          headDim,
        ]);
      }
    }
    const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => session.inputs.has(name)));
    return await session.run(feeds, outputs);
  }
}

/** The GroupQueryAttention operator wants room for the new tokens in the past. */
const gapOf = (kind: DecoderKind, count: number) => (kind.name === 'Concat' ? 0 : count);

function lastLogits(outputs: Tensors): Float32Array {
  const [, , vocabulary = 0] = outputs.logits?.dims ?? [];
  return floatData(outputs.logits).slice(-vocabulary);
}

function assertClose(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] ?? 0))), 0);
  assert.ok(worst < 2e-5, `${what}: off by ${worst}`);
}

/** Operators that copy the past, outside of the branch that is for the prompt of one sequence. */
function joiningOperators(model: OnnxModel): OnnxNode[] {
  const branches = (nodes: readonly OnnxNode[], which: string) =>
    nodes
      .flatMap(({ attribute = [] }) => attribute.filter(({ name }) => name === which))
      .flatMap(({ g }) => g?.node ?? []);
  const nodes = model.graph?.node ?? [];
  const steps = branches(nodes, 'then_branch');
  const prompts = branches(nodes, 'else_branch');
  const severalPrompts = branches(prompts, 'else_branch');
  return [...nodes, ...steps, ...prompts, ...severalPrompts].filter(
    ({ opType }) => opType === 'GroupQueryAttention',
  );
}

/** Those of subgraphs too. */
function everyNode(graph: OnnxGraph | undefined): OnnxNode[] {
  return (graph?.node ?? []).flatMap((one) => [
    one,
    ...(one.attribute ?? []).flatMap(({ g }) => everyNode(g)),
  ]);
}

for (const kind of kinds) {
  describe(`a decoder with ${kind.name}, rewritten`, () => {
    for (const [name, length, count, gap] of [
      ['a prompt from its start', 0, 9, 0],
      ['a long prompt from its start', 0, 447, 0],
      ['many tokens on a past', 21, 400, 0],
      ['one token on a past', 21, 1, 0],
      ['one token on a past with unused places', 21, 1, 11],
      ['several tokens on a past with unused places', 13, 6, 5],
    ] as const) {
      it(`computes what the original does: ${name}`, async () => {
        const original = await sessionOf(await kind.model());
        const model = await kind.model();
        assert.equal(rewriteDecoder(model, kind.shape).attention, 'split' satisfies RewrittenAttention);
        const rewritten = await sessionOf(model);
        const scene = new Scene(kind, length, count);
        // Rotated keys and plain values of the new tokens are the end of what the original outputs.
        const wanted = ['logits', 'present.0.key', 'present.1.value'];
        const expected = await scene.run(original, length === 0 ? 0 : gapOf(kind, count), wanted);
        const actual = await scene.run(rewritten, gap, ['logits', 'new.0.key', 'new.1.value']);
        assertClose(lastLogits(actual), lastLogits(expected), 'logits');
        for (const part of ['0.key', '1.value']) {
          const present = expected[`present.${part}`];
          const [, heads = 0, total = 0, width = 0] = present?.dims ?? [];
          const data = floatData(present);
          const fresh = Array.from({ length: heads }, (_, head) => [
            ...data.subarray((head * total + length) * width, (head * total + length + count) * width),
          ]);
          assertClose(floatData(actual[`new.${part}`]), Float32Array.from(fresh.flat()), part);
        }
        await Promise.all([original.release(), rewritten.release()]);
      });
    }

    it('hands over new rows and no present, and does not join past and new tokens inside', async () => {
      const model = await kind.model();
      rewriteDecoder(model, kind.shape);
      const { outputs } = graphSignature(model);
      const predictions = ['logits', ...Object.values(LIKELIEST)];
      const caches = outputs.map(({ name }) => name).filter((name) => !predictions.includes(name));
      assert.equal(caches.length, 2 * kind.shape.layers);
      assert.ok(caches.every((name) => /^new\.\d+\.(key|value)$/.test(name)));
      assert.deepEqual(joiningOperators(model), []);
      const joins = (model.graph?.node ?? []).filter(
        ({ opType, input = [] }) => opType === 'Concat' && input.some((one) => one.startsWith('past_')),
      );
      assert.deepEqual(joins, []);
    });
  });
}

it("prompts stay out of the attention operator's tiled kernel, which a sink alone can ask for", () => {
  const model = groupQueryDecoder();
  rewriteDecoder(model, GROUP_QUERY);
  const calls = everyNode(model.graph).filter(({ opType }) => opType === 'GroupQueryAttention');
  // Whole, and in four parts.
  assert.equal(calls.length, 5 * GROUP_QUERY.layers);
  for (const { input = [] } of calls) {
    const sinks = model.graph?.initializer?.find(({ name }) => name === input[11]);
    assert.deepEqual(sinks?.dims, [GROUP_QUERY.heads]);
  }
});

describe('a decoder in 8 bits, rewritten', () => {
  it('makes logits of the last position alone, within what rounding costs', async () => {
    const kind = CONCAT;
    const model = quantizeModel(await kind.model());
    const { attention, quantization } = rewriteDecoder(model, kind.shape);
    assert.equal(attention, 'split' satisfies RewrittenAttention);
    assert.equal(quantization.perTensor, 0);
    const [original, rewritten] = [await sessionOf(await kind.model()), await sessionOf(model)];
    const scene = new Scene(kind, 0, 9);
    const expected = lastLogits(await scene.run(original, 0, ['logits']));
    const outputs = await scene.run(rewritten, 0, ['logits']);
    assert.deepEqual(outputs.logits?.dims, [1, 1, expected.length]);
    const largest = Math.max(...expected.map(Math.abs));
    const actual = lastLogits(outputs);
    const worst = expected.reduce((most, one, at) => Math.max(most, Math.abs(one - (actual[at] ?? 0))), 0);
    assert.ok(worst < 0.1 * largest, `off by ${worst} of ${largest}`);
    await Promise.all([original.release(), rewritten.release()]);
  });
});

describe('attention of an unknown kind', () => {
  /** The pilot, with a Relu between the joined keys and whatever reads them. */
  async function unusual(): Promise<OnnxModel> {
    const model = await pilotDecoder();
    for (const one of model.graph?.node ?? []) {
      if (one.opType === 'Concat' || one.opType === 'Shape') continue;
      one.input = (one.input ?? []).map((name) => (name === 'present.2.key' ? 'odd' : name));
    }
    model.graph?.node?.push(node('Relu', ['present.2.key'], ['odd']));
    return model;
  }

  it('is kept: the cache is joined inside, and new rows are handed over all the same', async () => {
    const model = await unusual();
    assert.equal(rewriteDecoder(model, PILOT_SHAPE).attention, 'kept' satisfies RewrittenAttention);
    const kind = CONCAT;
    const original = await unusual();
    // The original must be in order to be loaded: what was added last is used before.
    const nodes = original.graph?.node ?? [];
    const relu = nodes.pop();
    const at = nodes.findIndex(({ output }) => output?.includes('present.2.key'));
    if (relu !== undefined) nodes.splice(at + 1, 0, relu);
    const [before, after] = await Promise.all([sessionOf(original), sessionOf(model)]);
    const scene = new Scene(kind, 12, 1);
    const expected = await scene.run(before, 0, ['logits']);
    const actual = await scene.run(after, 4, ['logits']);
    assertClose(lastLogits(actual), lastLogits(expected), 'logits');
    await Promise.all([before.release(), after.release()]);
  });
});

it('a step of a decoder with GroupQueryAttention transposes nothing', () => {
  const model = groupQueryDecoder();
  rewriteDecoder(model, GROUP_QUERY);
  const branches = (model.graph?.node ?? []).filter(({ opType }) => opType === 'If');
  assert.equal(branches.length, GROUP_QUERY.layers);
  for (const { attribute = [] } of branches) {
    const step = attribute.find(({ name }) => name === 'then_branch')?.g?.node ?? [];
    assert.ok(step.some(({ opType }) => opType === 'Softmax'));
    assert.ok(step.every(({ opType }) => opType !== 'Transpose' && opType !== 'If'));
  }
});
