import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paligemma } from '../../../../actors/families/paligemma/paligemma.ts';
import { promptTemplateToJinja } from '../../../../actors/families/prompt-template.ts';
import type { TemplateMessage } from '../../../../actors/model/chat-template.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { loadPromptModel } from '../../../../actors/processor/prompt-model.ts';
import { code } from '../../model/support/model-fixture.ts';
import { type GraphFacts, sourceOf } from '../support/model-source.ts';
import { assertGoldenPrompts, familyModel } from '../support/prompt-ids.ts';

const GRAPHS: GraphFacts = {
  ...{ layers: 18, kvHeads: 1, headDim: 256, hidden: 2048, vocab: 257_216 },
  features: ['images', 256, 2048],
};
/** paligemma-3b-mix-224's. */
const CONFIG = {
  ...{ model_type: 'paligemma', bos_token_id: 2, eos_token_id: 1, hidden_size: 2048, pad_token_id: 0 },
  ...{ image_token_index: 257_152, projection_dim: 2048 },
  text_config: {
    ...{ hidden_size: 2048, intermediate_size: 16_384, model_type: 'gemma', num_attention_heads: 8 },
    ...{ num_hidden_layers: 18, num_image_tokens: 256, num_key_value_heads: 1, vocab_size: 257_216 },
  },
  vision_config: {
    ...{ hidden_size: 1152, model_type: 'siglip_vision_model', num_attention_heads: 16, patch_size: 14 },
    ...{ num_image_tokens: 256, vision_use_head: false },
  },
};
const PREPROCESSOR = {
  ...{ do_convert_rgb: null, do_normalize: true, do_rescale: true, do_resize: true, image_seq_length: 256 },
  ...{
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    image_processor_type: 'SiglipImageProcessor',
  },
  ...{ processor_class: 'PaliGemmaProcessor', resample: 3, rescale_factor: 1 / 255 },
  size: { height: 224, width: 224 },
};
const REAL = { config: CONFIG, preprocessor: PREPROCESSOR };

test('paligemma-3b-mix-224 is read: the context is that of its decoder’s class', () => {
  const { geometry, settings } = paligemma.read(sourceOf(GRAPHS, { ...REAL, generationConfig: {} }));
  const { layers, heads, kvHeads, headDim, contextLength, imageTokenId, eosTokenIds, seesAhead } = geometry;
  assert.deepEqual(
    { layers, heads, kvHeads, headDim, contextLength, imageTokenId, eosTokenIds, seesAhead },
    {
      ...{ layers: 18, heads: 8, kvHeads: 1, headDim: 256, contextLength: 8192 },
      ...{ imageTokenId: 257_152, eosTokenIds: [1], seesAhead: 'prompt' },
    },
  );
  const plan = paligemma.images(settings).plan({ width: 300, height: 200 });
  assert.deepEqual([plan.shape, plan.tokens], [[1, 3, 224, 224], 256]);
});

test('paligemma2-3b-pt-448 is read: heads that do not divide the embedding, windows, 1024 tokens an image', () => {
  const graphs = { ...GRAPHS, layers: 26, kvHeads: 4, hidden: 2304, features: ['images', 1024, 2304] };
  const text_config = {
    ...{ hidden_size: 2304, intermediate_size: 9216, model_type: 'gemma2', num_hidden_layers: 26 },
    ...{ num_key_value_heads: 4, num_image_tokens: 1024, vocab_size: 257_216 },
  };
  const files = {
    config: { ...CONFIG, hidden_size: undefined, text_config },
    preprocessor: { ...PREPROCESSOR, size: { height: 448, width: 448 }, image_seq_length: 1024 },
  };
  const { geometry, settings } = paligemma.read(sourceOf(graphs, files));
  const { heads, kvHeads, headDim, contextLength } = geometry;
  assert.deepEqual([heads, kvHeads, headDim, contextLength], [8, 4, 256, 8192]);
  assert.equal(paligemma.images(settings).plan({ width: 9, height: 9 }).tokens, 1024);
  const counted = paligemma.read(sourceOf({ ...graphs, opTypes: ['MatMul'] }, files));
  assert.equal(counted.geometry.contextLength, 4096);
});

test('image tokens are counted from patches where no file says them', () => {
  const { image_seq_length: _, ...preprocessor } = PREPROCESSOR;
  const features = ['rows', 2048];
  const { settings } = paligemma.read(sourceOf({ ...GRAPHS, features }, { ...REAL, preprocessor }));
  assert.equal(paligemma.images(settings).plan({ width: 9, height: 9 }).tokens, 256);
});

test('what contradicts itself is refused', () => {
  const read = (graphs: Partial<GraphFacts>, files: object) => () =>
    paligemma.read(sourceOf({ ...GRAPHS, ...graphs }, { ...REAL, ...files }));
  const refused = code('MODEL_UNSUPPORTED');
  const preprocessor = (changes: object) => ({ preprocessor: { ...PREPROCESSOR, ...changes } });
  assert.throws(read({}, preprocessor({ do_resize: false })), refused);
  assert.throws(read({}, preprocessor({ size: 224 })), refused);
  assert.throws(read({}, preprocessor({ image_processor_type: 'CLIPImageProcessor' })), refused);
  assert.throws(read({}, preprocessor({ image_seq_length: 1024 })), refused);
  assert.throws(read({ vocab: 257_000 }, { config: { ...CONFIG, text_config: {} } }), refused);
  const text_config = { ...CONFIG.text_config, model_type: 'llama' };
  assert.throws(read({}, { config: { ...CONFIG, text_config } }), refused);
});

test('prompts have the ids of the reference', () => assertGoldenPrompts('paligemma'));

const [BOS, IMAGE, LINE_END] = [936, 3, 17];
const TOKENS = 16;
const asked = (...images: 'image'[]): TemplateMessage[] => [
  { role: 'user', content: [...images.map((type) => ({ type })), { type: 'text', text: 'What?' }] },
];

async function promptOf(messages: TemplateMessage[], template?: string): Promise<number[]> {
  const directory = await openModelDirectory(familyModel('paligemma'));
  const chatTemplate =
    template === undefined ? directory.chatTemplate : promptTemplateToJinja(template, '<image>');
  const { encoder, images } = await loadPromptModel({ ...directory, chatTemplate });
  const count = messages.flatMap(({ content }) => content.filter(({ type }) => type === 'image')).length;
  const expansion = images.plan({ width: 9, height: 9 }).expand();
  return encoder.encode(
    messages,
    Array.from({ length: count }, () => expansion),
  );
}

test('without a chat template the prompt is the same', async () => {
  const template = paligemma.promptTemplate ?? '';
  const messages = asked('image', 'image');
  assert.deepEqual(await promptOf(messages, template), await promptOf(messages));
});

test('the first token stands behind the last image, a line’s end behind the text', async () => {
  const ids = await promptOf(asked('image', 'image'));
  const images = Array.from({ length: 2 * TOKENS }, () => IMAGE);
  assert.deepEqual(ids.slice(0, 2 * TOKENS + 1), [...images, BOS]);
  assert.equal(ids.lastIndexOf(BOS), 2 * TOKENS);
  assert.equal(ids.at(-1), LINE_END);
});

test('text alone begins with the first token', async () => {
  const ids = await promptOf(asked());
  const behindImage = (await promptOf(asked('image'))).slice(TOKENS);
  assert.deepEqual(ids, behindImage);
});

test('a template that writes the first token itself is taken as it is', async () => {
  const whole = await promptOf(asked('image'), '<image><bos><prompt>\n');
  assert.deepEqual(whole, await promptOf(asked('image')));
});

test('text that spells the first token is text', async () => {
  const messages: TemplateMessage[] = [
    { role: 'user', content: [{ type: 'image' }, { type: 'text', text: '<bos><image>' }] },
  ];
  const ids = await promptOf(messages);
  assert.equal(ids.lastIndexOf(BOS), TOKENS);
  assert.equal(ids.lastIndexOf(IMAGE), TOKENS - 1);
});
