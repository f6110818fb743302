/** The files of Gemma 3's shape. */
import { imageTokensOf } from '../shape.ts';
import { type FamilyFiles, layerTypes, textNumbers, tokenizerSettings } from './family-files.ts';

const BEGIN = '<bos>';
const PADDING = '<pad>';
const TURN = '<start_of_turn>';
const END = '<end_of_turn>';
const IMAGE_START = '<start_of_image>';
const IMAGE_END = '<end_of_image>';
const IMAGE = '<image_soft_token>';

const TEMPLATE = [
  `${BEGIN}{% for m in messages %}${TURN}{{ 'model' if m['role'] == 'assistant' else 'user' }}\n`,
  "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}",
  `{% if p['type'] == 'image' %}${IMAGE_START}{% else %}{{ p['text'] }}{% endif %}`,
  `{% endfor %}{% endif %}${END}\n{% endfor %}`,
  `{% if add_generation_prompt %}${TURN}model\n{% endif %}`,
].join('');

const HALVES = [0.5, 0.5, 0.5];

export const gemma3Files: FamilyFiles = {
  controls: [BEGIN, PADDING, TURN, END, IMAGE_START, IMAGE_END, IMAGE],
  files(shape, tokenizer) {
    const { vision, text } = shape;
    if (vision.kind !== 'picture') throw new TypeError(`${shape.name} takes no pictures of one size`);
    const ids = {
      bos_token_id: tokenizer.idOf(BEGIN),
      eos_token_id: tokenizer.idOf(END),
      pad_token_id: tokenizer.idOf(PADDING),
    };
    const tokens = imageTokensOf(vision);
    return {
      'config.json': {
        architectures: ['Gemma3ForConditionalGeneration'],
        model_type: 'gemma3',
        boi_token_index: tokenizer.idOf(IMAGE_START),
        eoi_token_index: tokenizer.idOf(IMAGE_END),
        image_token_index: tokenizer.idOf(IMAGE),
        mm_tokens_per_image: tokens,
        eos_token_id: [ids.eos_token_id],
        tie_word_embeddings: true,
        text_config: {
          model_type: 'gemma3_text',
          ...textNumbers(shape),
          ...ids,
          hidden_activation: 'gelu_pytorch_tanh',
          query_pre_attn_scalar: text.headDim,
          rope_local_base_freq: text.sliding?.ropeTheta,
          sliding_window: text.sliding?.window,
          layer_types: layerTypes(text),
        },
        vision_config: {
          model_type: 'siglip_vision_model',
          image_size: vision.side,
          patch_size: vision.patch,
        },
      },
      'generation_config.json': { ...ids, eos_token_id: [ids.eos_token_id], do_sample: false },
      'preprocessor_config.json': {
        image_processor_type: 'Gemma3ImageProcessor',
        processor_class: 'Gemma3Processor',
        do_resize: true,
        do_rescale: true,
        do_normalize: true,
        rescale_factor: 1 / 255,
        resample: 2,
        image_mean: HALVES,
        image_std: HALVES,
        size: { height: vision.side, width: vision.side },
        image_seq_length: tokens,
      },
      'processor_config.json': { processor_class: 'Gemma3Processor', image_seq_length: tokens },
      'tokenizer_config.json': {
        tokenizer_class: 'GemmaTokenizer',
        ...tokenizerSettings('Gemma3Processor', shape),
        bos_token: BEGIN,
        eos_token: END,
        pad_token: PADDING,
        chat_template: TEMPLATE,
      },
    };
  },
};
