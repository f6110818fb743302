/**
 * Some exports, and PaliGemma's reference, count positions from 1. They are fed from 0 here: rotary embedding turns a query and
 * a key by their distance alone, so that a shift of all positions must not change what a decoder says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession } from '../../../actors/inference/ort-session.ts';
import { openModelDirectory } from '../../../actors/open-model-directory.ts';
import { SeededRandom } from '../../../actors/pd/sampler/random.ts';
import { familyModel } from './support/prompt-ids.ts';

/** Beyond the sliding window of 32. */
const LENGTH = 50;
const ROUNDING = 1e-4;

for (const family of ['gemma3', 'paligemma']) {
  test(`${family}: a shift of all positions changes the logits by no more than rounding`, async () => {
    const { graphs, geometry } = await openModelDirectory(familyModel(family));
    const session = await OrtSession.load(graphs.decoder.path, { threads: 1 });
    const random = new SeededRandom(3);
    const { hiddenSize, kvHeads, headDim, layers } = geometry;
    const embeds = Float32Array.from({ length: LENGTH * hiddenSize }, () => random.nextFloat() - 0.5);
    const int64 = (values: (i: number) => bigint) =>
      new Tensor(
        'int64',
        BigInt64Array.from({ length: LENGTH }, (_, i) => values(i)),
        [1, LENGTH],
      );
    const logitsAt = async (positionOf: (i: number) => number): Promise<Float32Array> => {
      const feeds: Tensors = {
        inputs_embeds: new Tensor('float32', embeds, [1, LENGTH, hiddenSize]),
        attention_mask: int64(() => 1n),
        position_ids: int64((i) => BigInt(positionOf(i))),
        token_type_ids: int64((i) => (i > 3 && i < 9 ? 1n : 0n)),
      };
      for (let layer = 0; layer < layers; layer++) {
        for (const kind of ['key', 'value']) {
          const empty = new Tensor('float32', new Float32Array(0), [1, kvHeads, 0, headDim]);
          feeds[`past_key_values.${layer}.${kind}`] = empty;
        }
      }
      return floatData((await session.run(feeds, ['logits'])).logits).slice();
    };
    const expected = await logitsAt((i) => i);
    const offBy = (actual: Float32Array): number =>
      expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] ?? 0))), 0);
    const shifted = offBy(await logitsAt((i) => i + 1));
    assert.ok(shifted < ROUNDING, `off by ${shifted}`);
    const stretched = offBy(await logitsAt((i) => 2 * i));
    assert.ok(stretched > 10 * ROUNDING, 'positions count');
    await session.release();
  });
}
