/**
 * LLaVA 1.5: a CLIP tower, a projector, and a Llama decoder (Liu et al. 2023, "Improved Baselines with Visual Instruction
 * Tuning"). An image is one square picture, cut from the middle; one `<image>` token stands for each of its patches.
 */
import type { JsonValue } from '../../model/model-directory.ts';
import { decoderNumbers, eosTokenIds, imageTokenOf, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ImageSize, ModelFamily } from '../family.ts';
import { picturePlanner } from '../fixed-picture.ts';
import type { ModelSource } from '../model-source.ts';
import { WholeImage } from '../whole-image.ts';
import {
  llavaConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
  withBackground,
} from './config.ts';

export const IMAGE = '<image>';
/** CLIP's, and the same with an option to make pictures square before. */
export const PICTURE_PROCESSORS = ['CLIPImageProcessor', 'CLIPFeatureExtractor', 'LlavaImageProcessor'];
/** The architecture's, for configurations that leave it out. */
const DEFAULT_IMAGE_TOKEN_ID = 32_000;
const DEFAULT_PATCH = 14;
/** Vicuna-7B. */
const DEFAULTS = { heads: 32, contextLength: 4096 };

export const llava: ModelFamily = {
  modelTypes: ['llava'],
  // Dynamo's for this model.
  promptTemplate: 'USER: <image>\n<prompt> ASSISTANT:',
  read,
  images,
};

function read(source: ModelSource): FamilyModel {
  const config = source.config(llavaConfigSchema);
  const preprocessor = withBackground(source.preprocessor(preprocessorSchema, PICTURE_PROCESSORS));
  const numbers = decoderNumbers(source, { text: config.text_config, defaults: DEFAULTS });
  return {
    geometry: {
      ...numbers,
      imageTokenId: imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID),
      eosTokenIds: eosTokenIds(source, config),
      seesAhead: 'none',
      imageInputs: [],
      joinsImages: false,
    },
    settings: { preprocessor, tokens: imageTokens(source, config, preprocessor) },
  };
}

/**
 * `(h / p) · (w / p) + additional`, less the class token where features are selected by "default". transformers.js does not
 * subtract it, so exports for it differ in what `num_additional_image_tokens` says: what the graph makes decides.
 */
function imageTokens(
  source: ModelSource,
  config: ReturnType<typeof llavaConfigSchema.parse>,
  preprocessor: ReturnType<typeof withBackground>,
): number {
  const processor = source.processor(processorSchema);
  const patch = processor.patch_size ?? config.vision_config.patch_size ?? DEFAULT_PATCH;
  const { width, height } = pictureSize(preprocessor, patch);
  const patches = Math.floor(height / patch) * Math.floor(width / patch);
  const strategy =
    processor.vision_feature_select_strategy ?? config.vision_feature_select_strategy ?? 'default';
  const additional = processor.num_additional_image_tokens ?? 1;
  const computed = patches + additional - (strategy === 'default' ? 1 : 0);
  const made = source.graphs.vision?.signature.outputs[0]?.dims.at(-2);
  const tokens = typeof made === 'number' ? made : computed;
  if (tokens === computed || tokens === patches) return tokens;
  throw unsupported(
    source.path,
    `The vision graph makes ${tokens} tokens, the processor expects ${computed}`,
  );
}

/** Of the pictures that the graph is given. @param patch side of a square picture, where pictures keep their size */
export function pictureSize(preprocessor: ReturnType<typeof withBackground>, patch: number): ImageSize {
  return new WholeImage(preprocessor).sizeOf({ width: patch, height: patch });
}

export function images(settings: JsonValue): ImageFamily {
  const { preprocessor, tokens } = settingsSchema.parse(settings);
  return {
    placeholder: IMAGE,
    placeholderInText: true,
    summary: `one picture cut from the middle, ${tokens} tokens`,
    plan: picturePlanner(preprocessor, tokens, IMAGE.repeat(tokens)),
  };
}
