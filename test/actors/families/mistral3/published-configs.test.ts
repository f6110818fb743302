/** Configurations as published models of the family have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistral3 } from '../../../../actors/families/mistral3/mistral3.ts';
import { ModelSource, type ModelSourceParts } from '../../../../actors/families/model-source.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';

const VISION = {
  ...{ model_type: 'pixtral', hidden_size: 1024, intermediate_size: 4096, num_attention_heads: 16 },
  ...{ num_hidden_layers: 24, head_dim: 64, image_size: 1540, patch_size: 14, rope_theta: 10_000 },
};
const PREPROCESSOR = {
  ...{
    image_processor_type: 'PixtralImageProcessorFast',
    crop_size: null,
    do_center_crop: null,
    do_resize: true,
  },
  ...{ patch_size: 14, resample: 3, size: { longest_edge: 1540 } },
};
const PROCESSOR = {
  ...{ processor_class: 'PixtralProcessor', patch_size: 14, spatial_merge_size: 2 },
  ...{ image_token: '[IMG]', image_break_token: '[IMG_BREAK]', image_end_token: '[IMG_END]' },
};
const SMALL = {
  model_type: 'mistral3',
  ...{ image_token_index: 10, spatial_merge_size: 2, vision_feature_layer: -1, vision_config: VISION },
  text_config: {
    ...{
      model_type: 'mistral',
      hidden_size: 5120,
      num_hidden_layers: 40,
      num_attention_heads: 32,
      head_dim: 128,
    },
    ...{
      num_key_value_heads: 8,
      max_position_embeddings: 131_072,
      vocab_size: 131_072,
      sliding_window: null,
    },
  },
};
const SMALL_GRAPHS: GraphFacts = {
  ...{ layers: 40, kvHeads: 8, headDim: 128, hidden: 5120, vocab: 131_072 },
  ...{ features: ['rows', 5120], opTypes: [] },
};
const small = { config: SMALL, preprocessor: PREPROCESSOR, processor: PROCESSOR };
const withText = (text: object) => ({ ...small, config: { ...SMALL, text_config: text } });

test('Mistral Small 3.1 is read with its numbers', () => {
  const { geometry, settings } = mistral3.read(sourceOf(SMALL_GRAPHS, small));
  const { contextLength, imageTokenId, heads, kvHeads, headDim, imageInputs, joinsImages } = geometry;
  assert.deepEqual([contextLength, imageTokenId, heads, kvHeads, headDim], [131_072, 10, 32, 8, 128]);
  assert.deepEqual([imageInputs, joinsImages], [[], false]);
  const images = mistral3.images(settings);
  assert.deepEqual(images.plan({ width: 3080, height: 1540 }).shape, [3, 784, 1540]);
  assert.equal(images.plan({ width: 1540, height: 1540 }).tokens, 55 * 55);
});

test('Ministral 3 3B is read with its numbers', () => {
  const text = {
    ...{
      model_type: 'ministral3',
      hidden_size: 3072,
      num_hidden_layers: 26,
      num_attention_heads: 32,
      head_dim: 128,
    },
    ...{
      num_key_value_heads: 8,
      max_position_embeddings: 262_144,
      vocab_size: 131_072,
      sliding_window: null,
    },
    rope_parameters: { rope_type: 'yarn', factor: 16, llama_4_scaling_beta: 0.1 },
  };
  const graphs: GraphFacts = { ...SMALL_GRAPHS, layers: 26, hidden: 3072, features: [1, 'rows', 3072] };
  const { geometry } = mistral3.read(sourceOf(graphs, withText(text)));
  assert.deepEqual([geometry.contextLength, geometry.headDim, geometry.hiddenSize], [262_144, 128, 3072]);
});

test('numbers that no file says are the architecture’s', () => {
  const graphs: GraphFacts = { ...SMALL_GRAPHS, headDim: 160 };
  const text = { model_type: 'mistral', hidden_size: 5120, num_attention_heads: 32, sliding_window: null };
  const parts = { config: { text_config: text }, preprocessor: {}, processor: {} };
  const { geometry, settings } = mistral3.read(sourceOf(graphs, parts));
  assert.deepEqual([geometry.kvHeads, geometry.contextLength, geometry.imageTokenId], [8, 131_072, 10]);
  assert.deepEqual(mistral3.images(settings).plan({ width: 2048, height: 1024 }).shape, [3, 532, 1036]);
});

test('a Ministral that leaves out its heads’ width has 128, whatever its hidden size', () => {
  const text = { model_type: 'ministral3', hidden_size: 3072, num_attention_heads: 32, vocab_size: 131_072 };
  const graphs: GraphFacts = { ...SMALL_GRAPHS, layers: 26, hidden: 3072, features: ['rows', 3072] };
  assert.equal(mistral3.read(sourceOf(graphs, withText(text))).geometry.headDim, 128);
});

test('a Mistral that does not say its window has one of 4,096 tokens, which graphs must place', () => {
  const { sliding_window: _, ...text } = SMALL.text_config;
  const context = (opTypes: readonly string[]) =>
    mistral3.read(sourceOf({ ...SMALL_GRAPHS, opTypes }, withText(text))).geometry.contextLength;
  assert.equal(context([]), 4096);
  assert.equal(context(['GroupQueryAttention']), 131_072);
});

test('a graph that is told the size of the pixels is told it', () => {
  const graphs: GraphFacts = { ...SMALL_GRAPHS, visionInputs: ['image_sizes'] };
  const { geometry, settings } = mistral3.read(sourceOf(graphs, small));
  assert.deepEqual(geometry.imageInputs, ['image_sizes']);
  const { inputs } = mistral3.images(settings).plan({ width: 100, height: 30 });
  assert.deepEqual(inputs, { image_sizes: { shape: [1, 2], values: [56, 112] } });
});

test('tokens of other names stand where the processor says so', () => {
  const processor = {
    ...PROCESSOR,
    image_token: '<img>',
    image_break_token: '<row>',
    image_end_token: '<end>',
  };
  const { settings } = mistral3.read(sourceOf(SMALL_GRAPHS, { ...small, processor }));
  const images = mistral3.images(settings);
  assert.equal(images.placeholder, '<img>');
  assert.equal(images.plan({ width: 28, height: 56 }).expand(), '<img><row><img><end>');
});

const refused: Readonly<Record<string, Parameters<typeof sourceOf>[1]>> = {
  'a patch size that model and processor disagree on': {
    ...small,
    processor: { ...PROCESSOR, patch_size: 16 },
  },
  'a merge size that they disagree on': { ...small, processor: { ...PROCESSOR, spatial_merge_size: 1 } },
  'an image token beyond the vocabulary': { ...small, config: { ...SMALL, image_token_index: 131_072 } },
  'a preprocessor that crops': { ...small, preprocessor: { ...PREPROCESSOR, do_center_crop: true } },
  'a preprocessor of another family': {
    ...small,
    preprocessor: { ...PREPROCESSOR, image_processor_type: 'CLIPImageProcessor' },
  },
};
for (const [what, parts] of Object.entries(refused)) {
  test(`${what}: unsupported`, () => {
    assert.throws(() => mistral3.read(sourceOf(SMALL_GRAPHS, parts)), code('MODEL_UNSUPPORTED'));
  });
}

/** The same with another vision graph. */
function withVision(vision: ModelSourceParts['graphs']['vision']): ModelSource {
  const { path, generationConfig, graphs } = sourceOf(SMALL_GRAPHS, small);
  const files = {
    config: SMALL,
    preprocessor: { file: 'preprocessor_config.json', value: PREPROCESSOR },
    processor: PROCESSOR,
  };
  const { vision: _, ...others } = graphs;
  const all = vision === undefined ? others : { ...others, vision };
  return new ModelSource({ path, generationConfig, ...files, graphs: all });
}

/** The same with pixels of these dimensions. */
function withPixels(...dims: (number | string)[]): ModelSource {
  const { vision } = sourceOf(SMALL_GRAPHS, small).graphs;
  assert.ok(vision);
  const inputs = [{ name: 'pixel_values', type: 'float32' as const, dims }];
  return withVision({ ...vision, signature: { ...vision.signature, inputs } });
}

for (const dims of [
  [1, 3, 1540, 1540],
  [4, 3, 'height', 'width'],
  ['patches', 588],
]) {
  test(`a vision graph that takes pixels [${dims}]: unsupported`, () => {
    assert.throws(
      () => mistral3.read(withPixels(...dims)),
      (error) => code('MODEL_UNSUPPORTED')(error) && String(error).includes(dims.join(', ')),
    );
  });
}

test('a vision graph of one image a run is as good as one of several', () => {
  assert.ok(mistral3.read(withPixels(1, 3, 'height', 'width')));
});

test('a decoder that encodes images itself: unsupported', () => {
  assert.throws(() => mistral3.read(withVision(undefined)), code('MODEL_UNSUPPORTED'));
});
