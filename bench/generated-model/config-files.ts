/** The JSON files of a generated model: the embedded model's, with the sizes of the shape. */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { imageTokensOf, type ModelShape } from './shape.ts';
import type { PaddedTokenizer } from './tokenizer.ts';

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

/** File name → contents. */
export function configFiles(
  shape: ModelShape,
  tokenizer: PaddedTokenizer,
  embedded: ModelDirectory,
): Record<string, unknown> {
  const ids = {
    bos_token_id: tokenizer.idOf('<|im_start|>'),
    eos_token_id: tokenizer.idOf('<end_of_utterance>'),
    pad_token_id: tokenizer.idOf('<|endoftext|>'),
  };
  const { tokenizer_class, bos_token, eos_token, pad_token, unk_token } = embedded.tokenizerConfig;
  const edge = { longest_edge: shape.vision.side };
  return {
    'tokenizer.json': tokenizer.json,
    'config.json': {
      architectures: ['Idefics3ForConditionalGeneration'],
      model_type: 'idefics3',
      image_token_id: tokenizer.idOf('<image>'),
      scale_factor: shape.pixelShuffle,
      pad_token_id: ids.pad_token_id,
      tie_word_embeddings: true,
      text_config: { ...textConfig(shape), ...ids },
      vision_config: visionConfig(shape),
    },
    'generation_config.json': { ...ids, eos_token_id: [ids.eos_token_id], do_sample: false },
    'preprocessor_config.json': { ...PIXELS, size: edge, max_image_size: edge },
    'processor_config.json': { processor_class: 'Idefics3Processor', image_seq_len: imageTokensOf(shape) },
    'tokenizer_config.json': {
      tokenizer_class,
      processor_class: 'Idefics3Processor',
      add_bos_token: false,
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      bos_token,
      eos_token,
      pad_token,
      unk_token,
      model_max_length: shape.contextLength,
      chat_template: embedded.chatTemplate,
    },
  };
}

function textConfig({ text, vocabulary, contextLength }: ModelShape) {
  return {
    model_type: 'llama',
    hidden_size: text.hidden,
    intermediate_size: text.mlp,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    num_key_value_heads: text.kvHeads,
    head_dim: text.headDim,
    vocab_size: vocabulary,
    rope_theta: text.ropeTheta,
    rms_norm_eps: text.epsilon,
    hidden_act: 'silu',
    max_position_embeddings: contextLength,
  };
}

function visionConfig({ vision }: ModelShape) {
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
