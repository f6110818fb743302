import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { llavaQwen2 } from '../../../../actors/families/llava/llava-qwen2.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { preparePrompt } from '../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel } from '../../../../actors/processor/prompt-model.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';
import { familyModel } from '../support/prompt-ids.ts';

const GRAPHS: GraphFacts = {
  ...{ layers: 24, kvHeads: 2, headDim: 64, hidden: 896, vocab: 151_936, opTypes: [] },
  features: ['images', 'tokens', 896],
};
/** FastVLM-0.5B's: the decoder's configuration, and the tower's fields beside. */
const CONFIG = {
  model_type: 'llava_qwen2',
  ...{ hidden_size: 896, intermediate_size: 4864, num_attention_heads: 14, num_hidden_layers: 24 },
  ...{ num_key_value_heads: 2, max_position_embeddings: 32_768, vocab_size: 151_936 },
  ...{ mm_hidden_size: 3072, mm_vision_tower: 'mobileclip_l_1024', image_aspect_ratio: 'pad' },
  image_token_index: 151_646,
};
const PREPROCESSOR = {
  ...{ image_processor_type: 'CLIPImageProcessor', do_center_crop: true, resample: 3 },
  ...{ size: { shortest_edge: 1024 }, crop_size: { height: 1024, width: 1024 } },
  ...{ image_mean: [0, 0, 0], image_std: [1, 1, 1] },
};
const PROCESSOR = {
  ...{ patch_size: 64, num_additional_image_tokens: 0, vision_feature_select_strategy: 'default' },
};
const fastVlm = { config: CONFIG, preprocessor: PREPROCESSOR, processor: PROCESSOR };

test('FastVLM-0.5B is read from its flat configuration: one picture of 1024 pixels, 256 tokens', () => {
  const { geometry, settings } = llavaQwen2.read(sourceOf(GRAPHS, fastVlm));
  const { layers, heads, kvHeads, headDim, contextLength, imageTokenId } = geometry;
  assert.deepEqual(
    { layers, heads, kvHeads, headDim, contextLength, imageTokenId },
    { layers: 24, heads: 14, kvHeads: 2, headDim: 64, contextLength: 32_768, imageTokenId: 151_646 },
  );
  const plan = llavaQwen2.images(settings).plan({ width: 300, height: 200 });
  assert.deepEqual([plan.shape, plan.tokens], [[1, 3, 1024, 1024], 256]);
});

test('what no file says is that of the published model', () => {
  const { settings } = llavaQwen2.read(sourceOf(GRAPHS, { ...fastVlm, preprocessor: {}, processor: {} }));
  const plan = llavaQwen2.images(settings).plan({ width: 300, height: 200 });
  assert.deepEqual([plan.shape, plan.tokens], [[1, 3, 1024, 1024], 256]);
});

test('in the place of -200 stands the tokenizer’s <image>', () => {
  const config = { ...CONFIG, image_token_index: -200 };
  const { geometry } = llavaQwen2.read(
    sourceOf(GRAPHS, { ...fastVlm, config, tokenIds: { '<image>': 151_650 } }),
  );
  assert.equal(geometry.imageTokenId, 151_650);
});

test('-200 and a tokenizer without <image>: unsupported', () => {
  const config = { ...CONFIG, image_token_index: -200 };
  assert.throws(() => llavaQwen2.read(sourceOf(GRAPHS, { ...fastVlm, config })), code('MODEL_UNSUPPORTED'));
});

test('a vision graph with another number of tokens: unsupported', () => {
  const facts: GraphFacts = { ...GRAPHS, features: [1, 255, 896] };
  assert.throws(() => llavaQwen2.read(sourceOf(facts, fastVlm)), code('MODEL_UNSUPPORTED'));
});

test('a chat template that takes messages as texts is given images on lines of their own', async () => {
  const own = await openModelDirectory(familyModel('llava'));
  const chatTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}{% endfor %}";
  const model = await loadPromptModel({ ...own, chatTemplate });
  const { added_tokens } = JSON.parse(await readFile(join(own.path, 'tokenizer.json'), 'utf8'));
  const start = added_tokens.find(({ content }: { content: string }) => content === '<|im_start|>').id;
  const plan = model.images.plan({ width: 40, height: 40 });
  const content = [
    { type: 'image' as const, image: 'a.png' },
    { type: 'text' as const, text: 'Hi' },
  ];
  const { promptIds } = preparePrompt(model, [{ role: 'user', content }], [plan]);
  const plain = preparePrompt(model, [{ role: 'user', content: '\nHi' }], []).promptIds;
  const { imageTokenId } = own.geometry;
  assert.equal(promptIds[0], start);
  assert.equal(promptIds.filter((id) => id === imageTokenId).length, plan.tokens);
  const behind = promptIds.lastIndexOf(imageTokenId) + 1;
  const tail = promptIds.subarray(behind);
  assert.deepEqual([...tail], [...plain.subarray(-tail.length)]);
});
