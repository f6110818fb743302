import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VisionEncoder } from '../../actors/encoder/vision-encoder.ts';
import { REWRITERS } from '../../actors/model/rewrite/rewriters.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import { MODES, Troupe } from '../../src/index.ts';
import { inspectModel } from '../../src/inspect/inspect-model.ts';
import { encodeTiles } from '../actors/encoder/support/encode-tiles.ts';
import { goldenPixels, SIDE } from '../actors/pd/support/pilot.ts';
import { golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';
import { type QuantizedCopy, quantizedCopy } from '../support/quantized-copy.ts';

describe('a model in 8 bits, quantized as it runs', () => {
  let model: QuantizedCopy;
  before(async () => {
    model = await quantizedCopy(PILOT_MODEL);
  });
  after(() => model[Symbol.asyncDispose]());

  for (const mode of MODES) {
    it(`says the same alone, together, in parts and again: ${mode}`, async () => {
      await using troupe = await Troupe.start({ model: model.path, dtype: 'q8', mode });
      const ask = async (index: number) => {
        const { tokenIds } = await troupe.chat({ messages: goldenMessages(golden(index)) });
        return [...tokenIds];
      };
      const all = goldens.map((_, index) => index);
      const alone: number[][] = [];
      for (const index of all) {
        await troupe.clearCaches();
        alone.push(await ask(index));
      }
      await troupe.clearCaches();
      assert.deepEqual(await Promise.all(all.map(ask)), alone, 'together');
      assert.deepEqual(await Promise.all(all.map(ask)), alone, 'from caches');
      await using parts = await Troupe.start({
        model: model.path,
        dtype: 'q8',
        mode,
        pd: { prefillTokensPerStep: 16, prefixCacheBytes: 0 },
      });
      const answers = await Promise.all(goldens.map((one) => parts.chat({ messages: goldenMessages(one) })));
      assert.deepEqual(
        answers.map(({ tokenIds }) => [...tokenIds]),
        alone,
        'in parts',
      );
      const right = alone.filter((ids, index) => String(ids) === String(golden(index).tokenIds));
      assert.ok(right.length >= 0.9 * alone.length, `${right.length} of ${alone.length} as in 32 bits`);
    });
  }

  it('encodes a picture to the same bits alone as beside another one, as the export does not', async () => {
    const rewrite = REWRITERS;
    const [first, second] = [await goldenPixels(golden(0)), await goldenPixels(golden(1))];
    // Brighter than any picture, so that its scale would be coarse for the other one.
    const both = Float32Array.from([...first, ...second.map((one) => 3 * one)]);
    const encode = async (rewritten: boolean) => {
      const options = { dtype: 'q8', ...(rewritten ? { rewrite } : {}) } as const;
      const directory = await openModelDirectory(model.path, options);
      const encoder = await VisionEncoder.load(directory, { threads: 1 });
      const alone = await encodeTiles(encoder, first, [1, 3, SIDE, SIDE]);
      const together = await encodeTiles(encoder, both, [2, 3, SIDE, SIDE]);
      await encoder.release();
      return { alone: [...alone], together: [...together.subarray(0, alone.length)] };
    };
    const byRow = await encode(true);
    assert.deepEqual(byRow.together, byRow.alone);
    const exported = await encode(false);
    assert.notDeepEqual(exported.together, exported.alone);
  });

  it('is shown by inspect, graph by graph', async () => {
    const { graphs } = await inspectModel({ model: model.path, dtype: 'q8' });
    assert.deepEqual(
      graphs.map(({ role, quantization }) => [role, quantization]),
      [
        ['vision', 'per row'],
        ['embed', undefined],
        ['decoder', 'per row'],
      ],
    );
  });
});
