import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { imagesOf } from '../../../../actors/families/registry.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type Changes, openQwen, type QwenModel } from './support/model.ts';
import { PUBLISHED } from './support/published.ts';

for (const model of PUBLISHED) {
  const { numbers, heads, vocab, context } = model;
  test(`the files of ${model.name} are read`, async (t) => {
    const directory = await openQwen(t, model);
    assert.deepEqual(directory.geometry, {
      layers: numbers.layers,
      heads,
      kvHeads: numbers.kvHeads,
      headDim: 128,
      hiddenSize: numbers.hidden,
      vocabSize: vocab,
      contextLength: context,
      imageTokenId: 151_655,
      eosTokenIds: [151_645, 151_643],
      seesAhead: 'none',
      imageInputs: ['image_grid_thw'],
      joinsImages: true,
    });
    // A photograph of 12 megapixels is not resized much: some 15,000 tokens of 28 × 28, 11,700 of 32 × 32.
    const { tokens } = imagesOf(directory).plan({ width: 4000, height: 3000 });
    assert.equal(tokens, numbers.patch === 14 ? 143 * 107 : 125 * 94);
  });
}

function publishedModel(name: string): QwenModel {
  const found = PUBLISHED.find((model) => model.name === name);
  if (found === undefined) throw new Error(`${name} is not there`);
  return found;
}

const qwen2 = publishedModel('Qwen2-VL-2B-Instruct');
const qwen3 = publishedModel('Qwen3-VL-2B-Instruct');

test('a configuration that says nothing has the defaults of the architecture', async (t) => {
  const { numbers, preprocessor } = qwen2;
  const told = { model_type: 'qwen2_vl', vocab_size: 152_064 };
  const { geometry } = await openQwen(t, { numbers, config: told, preprocessor });
  const { heads, contextLength, imageTokenId, layers, kvHeads } = geometry;
  assert.deepEqual([heads, contextLength, imageTokenId, layers, kvHeads], [64, 32_768, 151_655, 28, 2]);
});

test('a vision graph may call the grid grid_thw', async (t) => {
  const directory = await openQwen(t, qwen2, { vision: { image_grid_thw: null, grid_thw: ['i', 3] } });
  assert.deepEqual(directory.geometry.imageInputs, ['grid_thw']);
  const { inputs } = imagesOf(directory).plan({ width: 56, height: 84 });
  assert.deepEqual(inputs, { grid_thw: { shape: [1, 3], values: [1, 6, 4] } });
});

test('a vision graph with the grid of one image is given one a run', async (t) => {
  const { geometry } = await openQwen(t, qwen2, { vision: { image_grid_thw: [1, 3] } });
  assert.equal(geometry.joinsImages, false);
});

test('position_ids may leave the number of their rows open', async (t) => {
  await openQwen(t, qwen2, { decoder: { position_ids: ['axes', 'b', 's'] } });
});

describe('an export whose images would come out wrong is refused', () => {
  const refusals: readonly (readonly [string, Changes, RegExp])[] = [
    ['no position_ids', { decoder: { position_ids: null } }, /takes no position_ids.*time, height and width/],
    ['one position a token', { decoder: { position_ids: ['b', 's'] } }, /position_ids \[b, s\]/],
    ['positions of four axes', { decoder: { position_ids: [4, 'b', 's'] } }, /position_ids \[4, b, s\]/],
    ['no grid', { vision: { image_grid_thw: null } }, /takes no image_grid_thw/],
    ['other patches', { vision: { pixel_values: ['n', 1536] } }, /1536 values.*1176/],
    [
      'deepstack that nobody makes',
      { decoder: { 'deepstack_features.0': ['b', 's', 1536] } },
      /deepstack_features of 1 layers, the vision graph makes 0/,
    ],
  ];
  for (const [name, changes, message] of refusals) {
    test(name, async (t) => {
      await assert.rejects(openQwen(t, qwen2, changes), (error) => {
        assert.ok(code('MODEL_UNSUPPORTED')(error), String(error));
        assert.match(String(error), message);
        return true;
      });
    });
  }
});

describe('files that contradict each other are refused', () => {
  const changed = (config: object, preprocessor: object): QwenModel => ({
    numbers: qwen2.numbers,
    config: { ...qwen2.config, ...config },
    preprocessor: { ...qwen2.preprocessor, ...preprocessor },
  });
  const refusals: readonly (readonly [string, QwenModel, RegExp])[] = [
    [
      'squares of patches',
      changed({ vision_config: { spatial_merge_size: 4 } }, {}),
      /spatial_merge_size 4.*merge_size 2/,
    ],
    ['an image token outside the vocabulary', changed({ image_token_id: 200_000 }, {}), /200000/],
    [
      'the image processor of another family',
      changed({}, { image_processor_type: 'Idefics3ImageProcessor' }),
      /Idefics3ImageProcessor/,
    ],
  ];
  for (const [name, model, message] of refusals) {
    test(name, async (t) => {
      await assert.rejects(openQwen(t, model), (error) => {
        assert.ok(code('MODEL_UNSUPPORTED')(error), String(error));
        assert.match(String(error), message);
        return true;
      });
    });
  }
});

describe('deepstack', () => {
  const layer = ['b', 's', 2048];
  const made = { 'deepstack_features.0': ['t', 2048], 'deepstack_features.1': ['t', 2048] };
  const taken = { 'deepstack_features.0': layer, 'deepstack_features.1': layer };

  test('is taken as the graphs have it', async (t) => {
    const directory = await openQwen(t, qwen3, { decoder: taken, made });
    assert.doesNotMatch(imagesOf(directory).summary, /deepstack/);
  });

  test('may be left out by an export, which is then said', async (t) => {
    const directory = await openQwen(t, qwen3);
    assert.match(imagesOf(directory).summary, /leaves out deepstack/);
  });
});

describe('a sliding window', () => {
  const sliding = (config: object): QwenModel => ({
    ...qwen2,
    config: { ...qwen2.config, use_sliding_window: true, sliding_window: 512, ...config },
  });

  test('that a layer has limits the context of a graph that cannot place it', async (t) => {
    const { geometry } = await openQwen(t, sliding({ max_window_layers: 20 }));
    assert.equal(geometry.contextLength, 512);
  });

  test('that no layer has changes nothing', async (t) => {
    const { geometry } = await openQwen(t, sliding({ max_window_layers: 28 }));
    assert.equal(geometry.contextLength, 32_768);
  });
});
