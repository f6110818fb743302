/** What llama.cpp is told of a vision tower and of how pictures stand in a prompt; keys: `tools/mtmd/clip-impl.h` there. */
import type { GgufValue } from './gguf-types.ts';
import type { VisionConfig } from './vision-config.ts';

export function visionMetadata({
  tower,
  scale,
  textWidth,
  mean,
  deviation,
}: VisionConfig): Record<string, GgufValue> {
  return {
    'general.architecture': 'clip',
    'clip.has_vision_encoder': true,
    // See `vision-tensors.ts`.
    'clip.projector_type': 'lfm2',
    'clip.use_gelu': true,
    'clip.vision.image_size': { uint32: tower.image_size },
    'clip.vision.patch_size': { uint32: tower.patch_size },
    'clip.vision.embedding_length': { uint32: tower.hidden_size },
    'clip.vision.feed_forward_length': { uint32: tower.intermediate_size },
    'clip.vision.block_count': { uint32: tower.num_hidden_layers },
    'clip.vision.attention.head_count': { uint32: tower.num_attention_heads },
    'clip.vision.attention.layer_norm_epsilon': { float32: tower.layer_norm_eps },
    'clip.vision.projection_dim': { uint32: textWidth },
    'clip.vision.projector.scale_factor': { uint32: scale },
    'clip.vision.image_mean': { float32s: mean },
    'clip.vision.image_std': { float32s: deviation },
  };
}

/**
 * That projector writes these two around a picture. Idefics3 has a label before it and the same mark on both sides; so the tokens
 * get these names, and the template writes the first mark.
 */
export const PICTURE_TOKENS: Readonly<Record<string, string>> = {
  '<global-img>': '<|image_start|>',
  '<fake_token_around_image>': '<|image_end|>',
};

/** How the name begins that llama.cpp's server writes in a picture's place before it applies the template. */
const PLACE = '<__media';
const MARK = PICTURE_TOKENS['<fake_token_around_image>'];

/**
 * What Idefics3's template says, in the form that the server can fill in: it makes one string of a message's parts. A picture that
 * comes first has no space before it.
 */
export const PICTURE_TEMPLATE = [
  "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}:",
  `{% if not m['content'].startswith('${PLACE}') %} {% endif %}`,
  `{{ m['content'] | replace('${PLACE}', '${MARK}${PLACE}') }}<end_of_utterance>\n`,
  '{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}',
].join('');
