/** The numbers of published models, written down as their files write them. */
import type { QwenModel } from './model.ts';

const IMAGE_TOKENS = {
  vision_start_token_id: 151_652,
  vision_end_token_id: 151_653,
  image_token_id: 151_655,
  video_token_id: 151_656,
};
const CLIP = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const PATCHES = { patch_size: 14, temporal_patch_size: 2, merge_size: 2 };
const HALVES = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

/** As of Qwen2-VL and Qwen2.5-VL: the decoder's numbers at the top. */
const FLAT = {
  eos_token_id: 151_645,
  use_sliding_window: false,
  rope_scaling: { type: 'mrope', mrope_section: [16, 24, 24] },
};

interface Published extends QwenModel {
  readonly name: string;
  /** What `geometry` must say. */
  readonly heads: number;
  readonly vocab: number;
  readonly context: number;
}

export const PUBLISHED: readonly Published[] = [
  {
    name: 'Qwen2-VL-2B-Instruct',
    numbers: { layers: 28, kvHeads: 2, headDim: 128, hidden: 1536, patch: 14 },
    ...{ heads: 12, vocab: 151_936, context: 32_768 },
    config: {
      model_type: 'qwen2_vl',
      ...IMAGE_TOKENS,
      ...FLAT,
      ...{ hidden_size: 1536, num_attention_heads: 12, num_hidden_layers: 28, num_key_value_heads: 2 },
      ...{
        max_position_embeddings: 32_768,
        max_window_layers: 28,
        sliding_window: 32_768,
        vocab_size: 151_936,
      },
      vision_config: {
        depth: 32,
        embed_dim: 1280,
        in_chans: 3,
        patch_size: 14,
        spatial_merge_size: 2,
        spatial_patch_size: 14,
      },
    },
    preprocessor: {
      image_processor_type: 'Qwen2VLImageProcessor',
      min_pixels: 3136,
      max_pixels: 12_845_056,
      ...PATCHES,
      ...CLIP,
    },
  },
  {
    name: 'Qwen2-VL-7B-Instruct',
    numbers: { layers: 28, kvHeads: 4, headDim: 128, hidden: 3584, patch: 14 },
    ...{ heads: 28, vocab: 152_064, context: 32_768 },
    config: {
      model_type: 'qwen2_vl',
      ...IMAGE_TOKENS,
      ...FLAT,
      ...{ hidden_size: 3584, num_attention_heads: 28, num_hidden_layers: 28, num_key_value_heads: 4 },
      ...{
        max_position_embeddings: 32_768,
        max_window_layers: 28,
        sliding_window: 32_768,
        vocab_size: 152_064,
      },
      vision_config: { depth: 32, embed_dim: 1280, hidden_size: 3584, in_chans: 3, spatial_patch_size: 14 },
    },
    preprocessor: {
      image_processor_type: 'Qwen2VLImageProcessorFast',
      size: { min_pixels: 3136, max_pixels: 12_845_056 },
      ...PATCHES,
      ...CLIP,
    },
  },
  {
    name: 'Qwen2.5-VL-3B-Instruct',
    numbers: { layers: 36, kvHeads: 2, headDim: 128, hidden: 2048, patch: 14 },
    ...{ heads: 16, vocab: 151_936, context: 128_000 },
    config: {
      model_type: 'qwen2_5_vl',
      ...IMAGE_TOKENS,
      ...FLAT,
      ...{ hidden_size: 2048, num_attention_heads: 16, num_hidden_layers: 36, num_key_value_heads: 2 },
      ...{
        max_position_embeddings: 128_000,
        max_window_layers: 70,
        sliding_window: 32_768,
        vocab_size: 151_936,
      },
      vision_config: {
        depth: 32,
        hidden_size: 1280,
        out_hidden_size: 2048,
        spatial_merge_size: 2,
        window_size: 112,
      },
    },
    preprocessor: {
      image_processor_type: 'Qwen2_5_VLImageProcessor',
      min_pixels: 3136,
      max_pixels: 12_845_056,
      ...PATCHES,
      ...CLIP,
    },
  },
  {
    name: 'Qwen3-VL-2B-Instruct',
    numbers: { layers: 28, kvHeads: 8, headDim: 128, hidden: 2048, patch: 16 },
    ...{ heads: 16, vocab: 151_936, context: 262_144 },
    config: {
      model_type: 'qwen3_vl',
      ...IMAGE_TOKENS,
      text_config: {
        ...{
          hidden_size: 2048,
          head_dim: 128,
          num_attention_heads: 16,
          num_hidden_layers: 28,
          num_key_value_heads: 8,
        },
        ...{
          max_position_embeddings: 262_144,
          vocab_size: 151_936,
          eos_token_id: 151_645,
          model_type: 'qwen3_vl_text',
        },
        rope_scaling: { mrope_interleaved: true, mrope_section: [24, 20, 20], rope_type: 'default' },
      },
      vision_config: {
        depth: 24,
        deepstack_visual_indexes: [5, 11, 17],
        patch_size: 16,
        spatial_merge_size: 2,
      },
    },
    preprocessor: {
      image_processor_type: 'Qwen2VLImageProcessorFast',
      size: { longest_edge: 16_777_216, shortest_edge: 65_536 },
      ...{ ...PATCHES, patch_size: 16 },
      ...HALVES,
    },
  },
  {
    name: 'Qwen3-VL-4B-Instruct',
    numbers: { layers: 36, kvHeads: 8, headDim: 128, hidden: 2560, patch: 16 },
    ...{ heads: 32, vocab: 151_936, context: 262_144 },
    config: {
      model_type: 'qwen3_vl',
      ...IMAGE_TOKENS,
      text_config: {
        // 128 wide heads are the architecture's, more than 2560 / 32.
        ...{ hidden_size: 2560, num_attention_heads: 32, num_hidden_layers: 36, num_key_value_heads: 8 },
        ...{ max_position_embeddings: 262_144, vocab_size: 151_936, eos_token_id: 151_645 },
      },
      vision_config: {
        depth: 24,
        deepstack_visual_indexes: [5, 11, 17],
        patch_size: 16,
        spatial_merge_size: 2,
      },
    },
    preprocessor: {
      image_processor_type: 'Qwen2VLImageProcessorFast',
      size: { longest_edge: 16_777_216, shortest_edge: 65_536 },
      ...{ ...PATCHES, patch_size: 16 },
      ...HALVES,
    },
  },
];
