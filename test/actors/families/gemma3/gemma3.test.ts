import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gemma3 } from '../../../../actors/families/gemma3/gemma3.ts';
import type { TemplateMessage } from '../../../../actors/model/chat-template.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { loadPromptModel } from '../../../../actors/processor/prompt-model.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';
import { assertGoldenPrompts, familyModel } from '../support/prompt-ids.ts';

const GRAPHS: GraphFacts = {
  ...{ layers: 34, kvHeads: 4, headDim: 256, hidden: 2560, vocab: 262_208 },
  features: ['images', 256, 2560],
};
/** gemma-3-4b-it's, which leaves out what it shares with its class. */
const CONFIG = {
  ...{ model_type: 'gemma3', boi_token_index: 255_999, eoi_token_index: 256_000, image_token_index: 262_144 },
  ...{ eos_token_id: [1, 106], mm_tokens_per_image: 256 },
  text_config: {
    ...{ hidden_size: 2560, intermediate_size: 10_240, model_type: 'gemma3_text', num_hidden_layers: 34 },
    ...{ rope_scaling: { factor: 8, rope_type: 'linear' }, sliding_window: 1024 },
  },
  vision_config: { hidden_size: 1152, image_size: 896, patch_size: 14, model_type: 'siglip_vision_model' },
};
const PREPROCESSOR = {
  ...{ do_convert_rgb: null, do_normalize: true, do_pan_and_scan: null, do_rescale: true, do_resize: true },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], image_seq_length: 256 },
  ...{ image_processor_type: 'Gemma3ImageProcessor', pan_and_scan_max_num_crops: null, resample: 2 },
  ...{ rescale_factor: 1 / 255, size: { height: 896, width: 896 } },
};
const PROCESSOR = { image_seq_length: 256, processor_class: 'Gemma3Processor' };
const REAL = { config: CONFIG, preprocessor: PREPROCESSOR, processor: PROCESSOR };
const generationConfig = {};

test('gemma-3-4b is read: heads, vocabulary and context are those of its class', () => {
  const { geometry, settings } = gemma3.read(sourceOf(GRAPHS, { ...REAL, generationConfig }));
  const { layers, heads, kvHeads, headDim, contextLength, imageTokenId, eosTokenIds, seesAhead } = geometry;
  assert.deepEqual(
    { layers, heads, kvHeads, headDim, contextLength, imageTokenId, eosTokenIds, seesAhead },
    {
      ...{ layers: 34, heads: 8, kvHeads: 4, headDim: 256, contextLength: 131_072 },
      ...{ imageTokenId: 262_144, eosTokenIds: [1, 106], seesAhead: 'images' },
    },
  );
  const plan = gemma3.images(settings).plan({ width: 300, height: 200 });
  assert.deepEqual([plan.shape, plan.tokens], [[1, 3, 896, 896], 256]);
});

test('gemma-3-27b is read: heads narrower than the class’s', () => {
  const graphs = { ...GRAPHS, layers: 62, kvHeads: 16, headDim: 128, hidden: 5376 };
  const text_config = {
    ...{ head_dim: 128, hidden_size: 5376, num_attention_heads: 32, num_hidden_layers: 62 },
    ...{ num_key_value_heads: 16, query_pre_attn_scalar: 168, sliding_window: 1024, vocab_size: 262_208 },
  };
  const features = ['images', 256, 5376];
  const config = { ...CONFIG, text_config };
  const { geometry } = gemma3.read(sourceOf({ ...graphs, features }, { ...REAL, config }));
  assert.deepEqual([geometry.heads, geometry.kvHeads, geometry.headDim], [32, 16, 128]);
});

test('an image processor named for its speed is the same', () => {
  const preprocessor = { ...PREPROCESSOR, image_processor_type: 'Gemma3ImageProcessorFast' };
  assert.equal(gemma3.read(sourceOf(GRAPHS, { ...REAL, preprocessor })).geometry.layers, 34);
});

test('a graph that counts places has the context of a window', () => {
  const { geometry } = gemma3.read(sourceOf({ ...GRAPHS, opTypes: ['MatMul'] }, REAL));
  assert.equal(geometry.contextLength, 1024);
});

test('a decoder of GroupQueryAttention has all of its context', () => {
  const opTypes = ['com.microsoft.GroupQueryAttention'];
  assert.equal(gemma3.read(sourceOf({ ...GRAPHS, opTypes }, REAL)).geometry.contextLength, 131_072);
});

test('without a sliding layer there is no window', () => {
  const full = { ...CONFIG.text_config, layer_types: Array.from({ length: 34 }, () => 'full_attention') };
  const config = { ...CONFIG, text_config: full };
  const { geometry } = gemma3.read(sourceOf({ ...GRAPHS, opTypes: [] }, { ...REAL, config }));
  assert.equal(geometry.contextLength, 131_072);
});

test('what is not done, and what contradicts itself, is refused', () => {
  const read = (graphs: Partial<GraphFacts>, files: object) => () =>
    gemma3.read(sourceOf({ ...GRAPHS, ...graphs }, { ...REAL, ...files }));
  const refused = code('MODEL_UNSUPPORTED');
  const preprocessor = (changes: object) => ({ preprocessor: { ...PREPROCESSOR, ...changes } });
  assert.throws(read({}, preprocessor({ do_pan_and_scan: true })), refused);
  assert.throws(read({}, preprocessor({ do_resize: false })), refused);
  assert.throws(read({}, preprocessor({ size: { shortest_edge: 896 } })), refused);
  assert.throws(read({}, preprocessor({ image_processor_type: 'SiglipImageProcessor' })), refused);
  assert.throws(read({}, { processor: { image_seq_length: 64 } }), refused);
  assert.throws(read({ features: ['images', 64, 2560] }, {}), refused);
  assert.throws(read({ vocab: 262_144 }, {}), refused);
  const ahead = { ...CONFIG.text_config, use_bidirectional_attention: true };
  assert.throws(read({}, { config: { ...CONFIG, text_config: ahead } }), refused);
});

test('prompts have the ids of the reference', () => assertGoldenPrompts('gemma3'));

/** In the ways of the published template: roles that alternate, trimmed texts, a system message within the first turn. */
const TEMPLATE = `{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}
{%- set prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- set turns = messages[1:] -%}
{%- else -%}{%- set prefix = '' -%}{%- set turns = messages -%}{%- endif -%}
{%- for message in turns -%}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('roles must alternate') }}{%- endif -%}
{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\\n' + (prefix if loop.first else '') }}
{%- for item in message['content'] -%}
{%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- else -%}{{ item['text'] | trim }}{%- endif -%}
{%- endfor -%}{{ '<end_of_turn>\\n' }}
{%- endfor -%}{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}`;

test('a conversation begins with one first token, and images stand where they are in it', async () => {
  const directory = await openModelDirectory(familyModel('gemma3'));
  const { encoder, images } = await loadPromptModel({ ...directory, chatTemplate: TEMPLATE });
  const image = images.plan({ width: 9, height: 9 }).expand();
  const conversation: TemplateMessage[] = [
    { role: 'system', content: [{ type: 'text', text: 'Be short.' }] },
    { role: 'user', content: [{ type: 'text', text: ' See ' }, { type: 'image' }] },
    { role: 'assistant', content: [{ type: 'text', text: 'Tea.' }] },
    { role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'And?' }] },
  ];
  const ids = encoder.encode(conversation, [image, image]);
  const { bos, soft, begin, end } = { bos: 936, soft: 942, begin: 940, end: 941 };
  assert.equal(ids.lastIndexOf(bos), 0);
  const control = ids.filter((id) => [begin, end, soft].includes(id));
  const one = [begin, soft, soft, soft, soft, end];
  assert.deepEqual(control, [...one, ...one]);
});
