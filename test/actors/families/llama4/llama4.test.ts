import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Canvases } from '../../../../actors/families/llama4/canvas.ts';
import { preprocessorSchema } from '../../../../actors/families/llama4/config.ts';
import { llama4 } from '../../../../actors/families/llama4/llama4.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { preparePrompt } from '../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel } from '../../../../actors/processor/prompt-model.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';
import { picture, processorGolden, testPixels } from '../support/processor-golden.ts';
import { assertGoldenPrompts, familyModel } from '../support/prompt-ids.ts';

const golden = processorGolden('llama4');
const familyOf = (config: unknown, tokensPerTile = 4) =>
  llama4.images({ preprocessor: preprocessorSchema.parse(config), tokensPerTile });

for (const one of golden.cases) testPixels(one, true, () => familyOf(one.config).plan(one));

test('canvases and sizes are those of the reference', () => {
  assert.ok(golden.plans.length > 0);
  for (const [height, width, side, largest, ...expected] of golden.plans) {
    const size = { height: Number(side), width: Number(side) };
    const config = preprocessorSchema.parse({ size, resize_to_max_canvas: largest });
    const { rows, cols, resized } = new Canvases(config).of({ width: Number(width), height: Number(height) });
    assert.deepEqual([rows, cols, resized.height, resized.width], expected, `${height} × ${width}`);
  }
});

test('a tile that fits alone has no global one', () => {
  const plan = familyOf({}, 2).plan({ width: 336, height: 336 });
  assert.deepEqual(plan.shape, [1, 3, 336, 336]);
  assert.equal(plan.expand(), '<|image_start|><|image|><|patch|><|patch|><|image_end|>');
});

test('tiles are named by row, and the whole image follows them', () => {
  const plan = familyOf({}, 1).plan({ width: 672, height: 672 });
  const row = '<|patch|><|tile_x_separator|><|patch|><|tile_y_separator|>';
  assert.equal(plan.expand(), `<|image_start|>${row}${row}<|image|><|patch|><|image_end|>`);
  assert.deepEqual([plan.tokens, plan.parts, plan.shape], [5, 5, [5, 3, 336, 336]]);
});

test('a target of another size than the plan is refused', () => {
  const plan = familyOf({}).plan({ width: 3, height: 2 });
  assert.throws(() => [...plan.write(picture({ height: 2, width: 3 }), new Float32Array(3))], RangeError);
});

test('prompts have the ids of the reference', () => assertGoldenPrompts('llama4'));

// --------------------------------------------------------------------------------- configurations

const SCOUT_GRAPHS: GraphFacts = {
  ...{ layers: 48, kvHeads: 8, headDim: 128, hidden: 5120, vocab: 202_048 },
  features: ['tokens', 5120],
};
const SCOUT = {
  model_type: 'llama4',
  ...{ boi_token_index: 200_080, eoi_token_index: 200_081, image_token_index: 200_092 },
  text_config: {
    ...{ attention_chunk_size: 8192, eos_token_id: [200_001, 200_007, 200_008], head_dim: 128 },
    ...{ hidden_size: 5120, max_position_embeddings: 10_485_760, num_attention_heads: 40 },
    ...{ num_hidden_layers: 48, num_key_value_heads: 8, vocab_size: 202_048 },
  },
  vision_config: { image_size: 336, patch_size: 14, pixel_shuffle_ratio: 0.5 },
};
const PREPROCESSOR = {
  ...{ image_processor_type: 'Llama4ImageProcessorFast', crop_size: null, do_center_crop: null },
  ...{ max_patches: 16, resample: 2, size: { height: 336, width: 336 }, resize_to_max_canvas: false },
};
const scout = { config: SCOUT, preprocessor: PREPROCESSOR, generationConfig: {} };

test('Scout is read with its numbers, and ends at text, message and turn', () => {
  const { geometry, settings } = llama4.read(sourceOf(SCOUT_GRAPHS, scout));
  assert.equal(geometry.contextLength, 10_485_760);
  assert.equal(geometry.contextReason, undefined);
  assert.equal(geometry.imageTokenId, 200_092);
  assert.deepEqual(geometry.eosTokenIds, [200_001, 200_007, 200_008]);
  assert.match(llama4.images(settings).summary, /16 tiles of 336×336 .* 144 tokens each/);
});

test('what a configuration leaves out is the architecture’s', () => {
  const config = { model_type: 'llama4', text_config: {}, vision_config: {} };
  const { geometry } = llama4.read(sourceOf(SCOUT_GRAPHS, { config, preprocessor: {} }));
  const { layers, heads, kvHeads, headDim, contextLength, imageTokenId } = geometry;
  assert.deepEqual(
    { layers, heads, kvHeads, headDim, contextLength, imageTokenId },
    { layers: 48, heads: 40, kvHeads: 8, headDim: 128, contextLength: 131_072, imageTokenId: 200_092 },
  );
});

test('without ids in the configurations the tokens that end answers are found by name', () => {
  const tokenIds = { '<|end_of_text|>': 7, '<|eom|>': 8, '<|eot|>': 9 };
  const config = { ...SCOUT, text_config: { ...SCOUT.text_config, eos_token_id: null } };
  const { geometry } = llama4.read(
    sourceOf(SCOUT_GRAPHS, { ...scout, config, tokenIds, eosToken: '<|eot|>' }),
  );
  assert.deepEqual(geometry.eosTokenIds, [7, 8, 9]);
});

for (const opTypes of [['Softmax'], ['com.microsoft.GroupQueryAttention']]) {
  test(`a graph of ${opTypes} knows no chunks: the context ends with the first, and says why`, () => {
    const { geometry } = llama4.read(sourceOf({ ...SCOUT_GRAPHS, opTypes }, scout));
    assert.equal(geometry.contextLength, 8192);
    assert.match(geometry.contextReason ?? '', /chunks of 8192 tokens/);
  });
}

test('without chunks nothing caps the context', () => {
  const config = { ...SCOUT, text_config: { ...SCOUT.text_config, attention_chunk_size: null } };
  const { geometry } = llama4.read(sourceOf({ ...SCOUT_GRAPHS, opTypes: [] }, { ...scout, config }));
  assert.equal(geometry.contextLength, 10_485_760);
});

test('a prompt beyond a capped context is refused with the reason of the cap', async () => {
  const directory = await openModelDirectory(familyModel('llama4'));
  const geometry = { ...directory.geometry, contextLength: 64, contextReason: 'chunks of 64 tokens' };
  const model = await loadPromptModel({ ...directory, geometry });
  const messages = [{ role: 'user' as const, content: 'word '.repeat(100) }];
  assert.throws(() => preparePrompt(model, messages, []), /context of 64 tokens: chunks of 64 tokens/);
});

const refused: Readonly<Record<string, Parameters<typeof sourceOf>[1]>> = {
  'a processor of another family': { ...scout, preprocessor: { image_processor_type: 'CLIPImageProcessor' } },
  'tiles that are not square': { ...scout, preprocessor: { size: { height: 336, width: 224 } } },
  'images that are not resized': { ...scout, preprocessor: { do_resize: false } },
  'an image token outside the vocabulary': { ...scout, config: { ...SCOUT, image_token_index: 202_048 } },
};
for (const [what, parts] of Object.entries(refused)) {
  test(`${what}: unsupported`, () => {
    assert.throws(() => llama4.read(sourceOf(SCOUT_GRAPHS, parts)), code('MODEL_UNSUPPORTED'));
  });
}
