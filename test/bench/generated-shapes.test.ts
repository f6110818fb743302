/** Shapes of other families: their decoders, served by their families. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { generatedModel } from '../../bench/generated-model/generate.ts';
import { PRECISIONS } from '../../bench/generated-model/precision.ts';
import { ATTENTION_KINDS, type AttentionKind } from '../../bench/generated-model/shape.ts';
import { type ShapeName, shapeOf } from '../../bench/generated-model/shapes.ts';
import { toChatOptions } from '../../bench/peers/peer-request.ts';
import { PromptMaker } from '../../bench/prompt-maker.ts';
import { type ChatResult, Troupe } from '../../src/index.ts';
import { openModel } from '../../src/inspect/load-model.ts';
import { FAMILIES } from '../families/support/family-goldens.ts';

const MAX_TOKENS = 12;
const SHAPES: readonly {
  shape: ShapeName;
  modelType: string;
  imageTokens: number;
  /** Tokens; more than the window, where there is one. */
  prompt: number;
}[] = [
  { shape: 'qwen2-vl-2b', modelType: 'qwen2_vl', imageTokens: 9, prompt: 200 },
  { shape: 'gemma-3-4b', modelType: 'gemma3', imageTokens: 256, prompt: 1100 },
];

for (const { shape, modelType, imageTokens, prompt: promptTokens } of SHAPES) {
  describe(`a generated model of the shape ${shape}`, () => {
    let cache: string;
    const models = {} as Record<AttentionKind, ModelDirectory>;

    before(async () => {
      cache = await mkdtemp(join(tmpdir(), 'troupe-generated-'));
      for (const attention of ATTENTION_KINDS) {
        // What a precision does to a product does not depend on the attention.
        const precisions = attention === 'gqa' ? PRECISIONS : (['fp32'] as const);
        const model = await generatedModel({ shape, attention, layers: 1, precisions, cache });
        models[attention] = await openModel({ model, dtype: 'fp32', promptTemplate: undefined });
      }
    });
    after(() => rm(cache, { recursive: true, force: true }));

    it('is of its family, with the widths of the whole model', () => {
      const { geometry, modelType: type } = models.gqa;
      const { text } = shapeOf(shape);
      assert.equal(type, modelType);
      const { heads, kvHeads, headDim, hiddenSize, contextLength } = geometry;
      assert.deepEqual(
        [heads, kvHeads, headDim, hiddenSize],
        [text.heads, text.kvHeads, text.headDim, text.hidden],
      );
      assert.equal(contextLength, shapeOf(shape).contextLength);
    });

    for (const attention of ATTENTION_KINDS) {
      it(`has a decoder that is rewritten, ${attention}`, () => {
        const { rewrite } = models[attention].graphs.decoder;
        assert(rewrite?.rewritten, JSON.stringify(rewrite));
        assert.equal(rewrite.attention, 'split');
      });
    }

    it('answers a prompt, longer than a window that it has, the same with both kinds of attention', async () => {
      const prompt = (await PromptMaker.for(models.gqa)).request(promptTokens, MAX_TOKENS);
      const answers: ChatResult[] = [];
      for (const attention of ATTENTION_KINDS) {
        await using troupe = await Troupe.start({ model: models[attention].path, dtype: 'fp32' });
        answers.push(await troupe.chat(toChatOptions(prompt)));
      }
      const [fused, plain] = answers;
      assert.equal(fused?.usage.promptTokens, promptTokens);
      assert.equal(fused.tokenIds.length, MAX_TOKENS);
      assert.deepEqual(fused.tokenIds, plain?.tokenIds);
      assert(new Set(fused.tokenIds).size > MAX_TOKENS / 4, `repeats itself: ${fused.text}`);
    });

    for (const dtype of ['q4', 'q8'] as const) {
      it(`takes an image, in ${dtype}`, async () => {
        await using troupe = await Troupe.start({ model: models.gqa.path, dtype });
        const ask = (image: string) =>
          troupe.chat({
            messages: [
              {
                role: 'user',
                content: [
                  { type: 'image', image: join(FAMILIES, image) },
                  { type: 'text', text: 'Is there a red ring?' },
                ],
              },
            ],
            maxTokens: MAX_TOKENS,
            temperature: 0,
          });
        const text = await troupe.chat({
          messages: [{ role: 'user', content: 'Is there a red ring?' }],
          maxTokens: MAX_TOKENS,
          temperature: 0,
        });
        const first = await ask('square.png');
        assert.match(first.text, /^zq[a-z]*( zq[a-z]*)*$/);
        assert(first.usage.promptTokens >= text.usage.promptTokens + imageTokens);
        assert.notDeepEqual(first.tokenIds, (await ask('wide.png')).tokenIds);
      });
    }
  });
}
