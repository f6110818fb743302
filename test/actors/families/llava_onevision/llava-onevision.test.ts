import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAnyres } from '../../../../actors/families/llava_onevision/anyres.ts';
import { preprocessorSchema } from '../../../../actors/families/llava_onevision/config.ts';
import { llavaOnevision } from '../../../../actors/families/llava_onevision/llava-onevision.ts';
import { imagesOf } from '../../../../actors/families/registry.ts';
import { InferenceSession, Tensor } from '../../../../actors/inference/onnxruntime.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';
import { picture, processorGolden, testPixels } from '../support/processor-golden.ts';
import { assertGoldenPrompts, familyModel } from '../support/prompt-ids.ts';

const golden = processorGolden('llava_onevision');
const SIX = [1, 2, 3, 4, 5, 6].map((tiles) => 384 * tiles);
const PINPOINTS = SIX.flatMap((height) => SIX.map((width): [number, number] => [height, width]));

for (const one of golden.cases) {
  const { image_grid_pinpoints, resample, size, ...config } = preprocessorSchema.parse(one.config);
  const { crop_size: _, ...levels } = config;
  testPixels(one, !levels.do_normalize, () => {
    const anyres = { pinpoints: image_grid_pinpoints ?? [], mostTiles: 9 };
    return llavaOnevision.images({ levels, resample, tile: size.height, side: 4, anyres }).plan(one);
  });
}

test('canvases, sizes and token counts are those of the reference', () => {
  assert.ok(golden.plans.length > 0);
  for (const [height, width, mostTiles, ...expected] of golden.plans) {
    const image = { height: Number(height), width: Number(width) };
    const config = { pinpoints: PINPOINTS, tile: 384, side: 27, mostTiles: Number(mostTiles) };
    const { tokens, canvas, resized } = planAnyres(image, config);
    assert.deepEqual(
      [tokens, canvas.height, canvas.width, resized.height, resized.width],
      expected,
      `${height} × ${width}, ${mostTiles}`,
    );
  }
});

test('the vision graph makes as many rows as an image has tokens', async () => {
  const directory = await openModelDirectory(familyModel('llava_onevision'));
  const { vision } = directory.graphs;
  assert.ok(vision);
  const session = await InferenceSession.create(vision.path);
  for (const [height = 0, width = 0] of golden.plans.map((plan) => plan.map(Number))) {
    const { tokens, shape, inputs } = imagesOf(directory).plan({ height, width });
    const pixels = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const { shape: dims = [], values = [] } = inputs.image_sizes ?? {};
    const { image_features } = await session.run({
      pixel_values: new Tensor('float32', pixels, shape),
      image_sizes: new Tensor('int64', BigInt64Array.from(values, BigInt), dims),
    });
    assert.equal(image_features?.dims[0], tokens, `${height} × ${width}`);
  }
  await session.release();
});

test('prompts have the ids of the reference', () => assertGoldenPrompts('llava_onevision'));

test('the token that ends answers is found by name where no configuration has its id', async () => {
  const { geometry, generationConfig } = await openModelDirectory(familyModel('llava_onevision'));
  assert.equal(generationConfig.eos_token_id, undefined);
  assert.deepEqual(geometry.eosTokenIds, [2]);
});

test('a target of another size than the plan is refused', async () => {
  const plan = imagesOf(await openModelDirectory(familyModel('llava_onevision'))).plan({
    width: 3,
    height: 2,
  });
  assert.throws(() => [...plan.write(picture({ height: 2, width: 3 }), new Float32Array(3))], RangeError);
});

// --------------------------------------------------------------------------------- configurations

const SMALL_GRAPHS: GraphFacts = {
  ...{ layers: 24, kvHeads: 2, headDim: 64, hidden: 896, vocab: 152_000 },
  ...{ visionInputs: ['image_sizes'], features: ['tokens', 896], opTypes: [] },
};
const SMALL = {
  model_type: 'llava_onevision',
  ...{ image_token_index: 151_646, image_grid_pinpoints: PINPOINTS, vision_aspect_ratio: 'anyres_max_9' },
  vision_feature_select_strategy: 'full',
  text_config: {
    ...{ hidden_size: 896, intermediate_size: 4864, num_attention_heads: 14, num_hidden_layers: 24 },
    ...{ num_key_value_heads: 2, max_position_embeddings: 32_768, vocab_size: 152_000 },
  },
  vision_config: { image_size: 384, patch_size: 14 },
};
const PREPROCESSOR = {
  ...{ image_processor_type: 'LlavaOnevisionImageProcessor', do_pad: true, resample: 3 },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], size: { height: 384, width: 384 } },
  image_grid_pinpoints: PINPOINTS,
};
const PROCESSOR = { num_image_tokens: 729, vision_feature_select_strategy: 'full' };
const small = { config: SMALL, preprocessor: PREPROCESSOR, processor: PROCESSOR };

test('the 0.5B model is read with its numbers', () => {
  const { geometry, settings } = llavaOnevision.read(sourceOf(SMALL_GRAPHS, small));
  assert.deepEqual(
    [geometry.contextLength, geometry.imageTokenId, geometry.vocabSize],
    [32_768, 151_646, 152_000],
  );
  assert.deepEqual(geometry.imageInputs, ['image_sizes']);
  const plan = llavaOnevision.images(settings).plan({ width: 384, height: 384 });
  assert.deepEqual([plan.shape, plan.tokens, plan.parts], [[2, 3, 384, 384], 729 + 27 * 28, 1]);
  assert.deepEqual(plan.inputs, { image_sizes: { shape: [1, 2], values: [384, 384] } });
});

test('canvases and counts that no file says are the architecture’s', () => {
  const { settings } = llavaOnevision.read(
    sourceOf(SMALL_GRAPHS, { ...small, config: { text_config: {} }, preprocessor: {}, processor: {} }),
  );
  assert.deepEqual(settings, {
    ...Object(settings),
    ...{ tile: 384, side: 27, anyres: { pinpoints: PINPOINTS, mostTiles: 9 } },
  });
});

test('a vision graph that is not told sizes is given the whole image as one tile', () => {
  const facts: GraphFacts = { ...SMALL_GRAPHS, visionInputs: [], features: ['tiles', 729, 896] };
  const { geometry, settings } = llavaOnevision.read(sourceOf(facts, small));
  assert.deepEqual(geometry.imageInputs, []);
  const plan = llavaOnevision.images(settings).plan({ width: 900, height: 300 });
  assert.deepEqual([plan.shape, plan.tokens, plan.inputs], [[1, 3, 384, 384], 729, {}]);
});

const refused: Readonly<Record<string, Parameters<typeof sourceOf>[1]>> = {
  'an aspect ratio without a maximum': { ...small, config: { ...SMALL, vision_aspect_ratio: 'anyres' } },
  'canvases that model and processor disagree on': {
    ...small,
    preprocessor: { ...PREPROCESSOR, image_grid_pinpoints: [[384, 384]] },
  },
  'canvases of no whole tiles': {
    ...small,
    config: { ...SMALL, image_grid_pinpoints: null },
    preprocessor: { ...PREPROCESSOR, image_grid_pinpoints: [[384, 400]] },
  },
  'a class token that SigLIP has not': {
    ...small,
    config: { ...SMALL, vision_feature_select_strategy: 'default' },
    processor: { num_image_tokens: 729 },
  },
  'a count of tokens that is no square': { ...small, processor: { num_image_tokens: 730 } },
};
for (const [what, parts] of Object.entries(refused)) {
  test(`${what}: unsupported`, () => {
    assert.throws(() => llavaOnevision.read(sourceOf(SMALL_GRAPHS, parts)), code('MODEL_UNSUPPORTED'));
  });
}
