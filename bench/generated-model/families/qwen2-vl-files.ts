/** The files of Qwen2-VL's shape, the decoder's numbers at the top of `config.json` as published models have them. */
import { type FamilyFiles, textNumbers, tokenizerSettings } from './family-files.ts';

const END = '<|im_end|>';
const PADDING = '<|endoftext|>';
const VISION_START = '<|vision_start|>';
const VISION_END = '<|vision_end|>';
const IMAGE = '<|image_pad|>';
const VIDEO = '<|video_pad|>';

const TEMPLATE = [
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n",
  "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}",
  `{% if p['type'] == 'image' %}${VISION_START}${IMAGE}${VISION_END}{% else %}{{ p['text'] }}{% endif %}`,
  `{% endfor %}{% endif %}${END}\n{% endfor %}`,
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
].join('');

export const qwen2VlFiles: FamilyFiles = {
  controls: ['<|im_start|>', END, PADDING, VISION_START, VISION_END, IMAGE, VIDEO],
  files(shape, tokenizer) {
    const { vision, text } = shape;
    if (vision.kind !== 'patches') throw new TypeError(`${shape.name} takes no patches`);
    const ids = { eos_token_id: tokenizer.idOf(END), pad_token_id: tokenizer.idOf(PADDING) };
    return {
      'config.json': {
        architectures: ['Qwen2VLForConditionalGeneration'],
        model_type: 'qwen2_vl',
        ...textNumbers(shape),
        ...ids,
        hidden_act: 'silu',
        rope_scaling: { type: 'mrope', mrope_section: text.sections },
        use_sliding_window: false,
        tie_word_embeddings: true,
        image_token_id: tokenizer.idOf(IMAGE),
        video_token_id: tokenizer.idOf(VIDEO),
        vision_start_token_id: tokenizer.idOf(VISION_START),
        vision_end_token_id: tokenizer.idOf(VISION_END),
        vision_config: {
          model_type: 'qwen2_vl',
          hidden_size: text.hidden,
          patch_size: vision.patch,
          spatial_merge_size: vision.merge,
          temporal_patch_size: vision.frames,
        },
      },
      'generation_config.json': { ...ids, eos_token_id: [ids.eos_token_id], do_sample: false },
      'preprocessor_config.json': {
        image_processor_type: 'Qwen2VLImageProcessor',
        processor_class: 'Qwen2VLProcessor',
        min_pixels: 3136,
        max_pixels: 12_845_056,
        patch_size: vision.patch,
        temporal_patch_size: vision.frames,
        merge_size: vision.merge,
        image_mean: [0.48145466, 0.4578275, 0.40821073],
        image_std: [0.26862954, 0.26130258, 0.27577711],
      },
      'tokenizer_config.json': {
        tokenizer_class: 'Qwen2Tokenizer',
        ...tokenizerSettings('Qwen2VLProcessor', shape),
        eos_token: END,
        pad_token: PADDING,
        chat_template: TEMPLATE,
      },
    };
  },
};
