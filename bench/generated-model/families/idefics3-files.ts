/** The files of SmolVLM's shape: the embedded model's, with other sizes. */
import { imageTokensOf, type TowerShape } from '../shape.ts';
import { type FamilyFiles, textNumbers, tokenizerSettings } from './family-files.ts';

const PIXELS = {
  image_processor_type: 'Idefics3ImageProcessor',
  processor_class: 'Idefics3Processor',
  do_convert_rgb: true,
  do_image_splitting: false,
  do_resize: true,
  do_rescale: true,
  do_normalize: true,
  do_pad: true,
  rescale_factor: 1 / 255,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  resample: 1,
};

export const idefics3Files: FamilyFiles = {
  controls: [],
  files(shape, tokenizer, embedded) {
    const { vision } = shape;
    if (vision.kind !== 'tower') throw new TypeError(`${shape.name} has no tower`);
    const ids = {
      bos_token_id: tokenizer.idOf('<|im_start|>'),
      eos_token_id: tokenizer.idOf('<end_of_utterance>'),
      pad_token_id: tokenizer.idOf('<|endoftext|>'),
    };
    const { tokenizer_class, bos_token, eos_token, pad_token, unk_token } = embedded.tokenizerConfig;
    const edge = { longest_edge: vision.side };
    return {
      'config.json': {
        architectures: ['Idefics3ForConditionalGeneration'],
        model_type: 'idefics3',
        image_token_id: tokenizer.idOf('<image>'),
        scale_factor: vision.pixelShuffle,
        pad_token_id: ids.pad_token_id,
        tie_word_embeddings: true,
        text_config: { model_type: 'llama', ...textNumbers(shape), hidden_act: 'silu', ...ids },
        vision_config: visionConfig(vision),
      },
      'generation_config.json': { ...ids, eos_token_id: [ids.eos_token_id], do_sample: false },
      'preprocessor_config.json': { ...PIXELS, size: edge, max_image_size: edge },
      'processor_config.json': { processor_class: 'Idefics3Processor', image_seq_len: imageTokensOf(vision) },
      'tokenizer_config.json': {
        tokenizer_class,
        ...tokenizerSettings('Idefics3Processor', shape),
        bos_token,
        eos_token,
        pad_token,
        unk_token,
        chat_template: embedded.chatTemplate,
      },
    };
  },
};

function visionConfig(vision: TowerShape) {
  return {
    model_type: 'idefics3_vision',
    hidden_size: vision.hidden,
    intermediate_size: vision.mlp,
    num_hidden_layers: vision.layers,
    num_attention_heads: vision.heads,
    image_size: vision.side,
    patch_size: vision.patch,
    hidden_act: 'gelu',
    layer_norm_eps: vision.epsilon,
  };
}
