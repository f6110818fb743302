/**
 * PaliGemma 1 and 2: a SigLIP tower, a linear projection, and a Gemma decoder (Beyer et al. 2024, "PaliGemma: A versatile 3B
 * VLM for transfer"). An image is one square picture. A prompt is all images, the first token, the text and a line's end, and all
 * of its tokens see each other (the paper's prefix); the answer's see what is before them (its suffix).
 *
 * Positions count from 0 here, and from 1 in the reference: rotary embedding knows distances alone, so a constant
 * shift of all positions changes nothing beyond rounding.
 */
import type { JsonValue } from '../../model/model-directory.ts';
import { decoderNumbers, eosTokenIds, imageTokenOf, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ModelFamily } from '../family.ts';
import { picturePlanner, pictureSize, tokensPerPicture } from '../fixed-picture.ts';
import type { ModelSource } from '../model-source.ts';
import type { TextConfig } from '../text-config.ts';
import { type PaligemmaConfig, paligemmaConfigSchema, preprocessorSchema, settingsSchema } from './config.ts';

const IMAGE = '<image>';
/** The architecture's, for configurations that leave them out. */
const DEFAULT_IMAGE_TOKEN_ID = 256_000;
const DEFAULT_PATCH = 14;
const CONTEXT = 8192;
/** Of the decoders, by `model_type`. The width of a head is never that of the embeddings by the heads. */
const DECODERS = {
  gemma: { heads: 16, kvHeads: 16, headDim: 256, vocabSize: 256_000 },
  gemma2: { heads: 8, kvHeads: 4, headDim: 256, vocabSize: 256_000 },
} as const;
const GEMMA2_WINDOW = 4096;
/** The decoder of a configuration that does not describe one. */
const PALIGEMMA_3B = { num_attention_heads: 8, num_key_value_heads: 1, vocab_size: 257_152 };

export const paligemma: ModelFamily = {
  modelTypes: ['paligemma'],
  // What stands between and behind them is added to any template's prompt: see `completePrompt`.
  promptTemplate: '<image><prompt>',
  read,
  images,
};

function read(source: ModelSource): FamilyModel {
  const config = source.config(paligemmaConfigSchema);
  const { image_seq_length, ...preprocessor } = source.preprocessor(preprocessorSchema, [
    'SiglipImageProcessor',
  ]);
  const { width, height } = pictureSize(source, preprocessor);
  const patch = config.vision_config?.patch_size ?? DEFAULT_PATCH;
  const patches = Math.floor(width / patch) * Math.floor(height / patch);
  const tokens = tokensPerPicture(source, { image_seq_length }, patches);
  const numbers = decoderNumbers(source, decoderFacts(source, config));
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, { ...config, text_config: config.text_config ?? {} }),
      seesAhead: 'prompt',
      imageInputs: [],
      joinsImages: true,
    },
    settings: { preprocessor, tokens },
  };
}

function decoderFacts({ path }: ModelSource, { text_config }: PaligemmaConfig) {
  const { model_type: type = 'gemma' } = text_config ?? {};
  if (type !== 'gemma' && type !== 'gemma2') {
    throw unsupported(path, `text_config is of type ${JSON.stringify(type)}, not gemma or gemma2`);
  }
  const decoder = DECODERS[type];
  const given: TextConfig = text_config ?? PALIGEMMA_3B;
  const text: TextConfig = {
    ...given,
    num_attention_heads: given.num_attention_heads ?? decoder.heads,
    num_key_value_heads: given.num_key_value_heads ?? decoder.kvHeads,
    head_dim: given.head_dim ?? decoder.headDim,
  };
  const { sliding_window: window = GEMMA2_WINDOW, layer_types: layers } = text_config ?? {};
  const slides = type === 'gemma2' && (layers?.includes('sliding_attention') ?? true);
  const span = slides ? (window ?? undefined) : undefined;
  return { text, defaults: { contextLength: CONTEXT, vocabSize: decoder.vocabSize }, span };
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, tokens } = settingsSchema.parse(settings);
  return {
    placeholder: IMAGE,
    summary: `one picture squeezed to a square, ${tokens} tokens`,
    plan: picturePlanner(preprocessor, tokens, IMAGE.repeat(tokens)),
    completePrompt,
  };
}

/**
 * What the reference's processor makes of a prompt: the first token stands behind the last image, a line's end behind
 * the text. A template that writes the first token itself is taken as it is. The reference refuses a prompt without an
 * image, for the model was never trained on one; here it is the first token, the text, and the line's end.
 */
function completePrompt(rendered: string, bosToken: string): string {
  if (bosToken !== '' && rendered.includes(bosToken)) return rendered;
  const last = rendered.lastIndexOf(IMAGE);
  const at = last === -1 ? 0 : last + IMAGE.length;
  return `${rendered.slice(0, at)}${bosToken}${rendered.slice(at)}\n`;
}
