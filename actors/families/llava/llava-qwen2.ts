/**
 * FastVLM: a convolutional tower that makes few tokens of a large picture, a projector, and a Qwen2 decoder, whose
 * configuration is flat (Vasu et al. 2025). In its own code -200 stands for an image, which no vocabulary has; exports of
 * this layout have a token `<image>`.
 */
import * as z from 'zod';
import { tokenIds } from '../../model/model-config.ts';
import { decoderNumbers, eosTokenIds, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import { textConfigSchema } from '../text-config.ts';
import { pictureSchema, processorSchema, withBackground } from './config.ts';
import { IMAGE, images, PICTURE_PROCESSORS, pictureSize } from './llava.ts';

/** `config.json`: that of the decoder, and fields beside. */
const configSchema = textConfigSchema.extend({
  image_token_index: z.int().nullish(),
  image_token_id: z.int().nullish(),
  eos_token_id: tokenIds.nullish(),
});

const preprocessorSchema = pictureSchema({
  side: 1024,
  crop: true,
  resample: 3,
  mean: [0, 0, 0],
  std: [1, 1, 1],
});

/** Pixels along a side of the picture for one token. */
const DEFAULT_PATCH = 64;
const DEFAULTS = { contextLength: 32_768 };

export const llavaQwen2: ModelFamily = { modelTypes: ['llava_qwen2'], tokens: [IMAGE], read, images };

function read(source: ModelSource): FamilyModel {
  const config = source.config(configSchema);
  const preprocessor = withBackground(source.preprocessor(preprocessorSchema, PICTURE_PROCESSORS));
  const numbers = decoderNumbers(source, { text: config, defaults: DEFAULTS });
  const said = config.image_token_index ?? config.image_token_id ?? -1;
  const imageTokenId = source.tokenIds[IMAGE] ?? said;
  if (imageTokenId < 0 || imageTokenId >= numbers.vocabSize) {
    const problem = `The image token is ${imageTokenId}, of a vocabulary of ${numbers.vocabSize}`;
    throw unsupported(source.path, `${problem}: the tokenizer must have ${IMAGE}`);
  }
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, config),
      seesAhead: 'none',
      imageInputs: [],
      joinsImages: false,
    },
    settings: { preprocessor, tokens: imageTokens(source, preprocessor) },
  };
}

/** What the graph makes; where it leaves that open, as transformers.js counts, which knows no class token. */
function imageTokens(source: ModelSource, preprocessor: ReturnType<typeof withBackground>): number {
  const { patch_size, num_additional_image_tokens } = source.processor(processorSchema);
  const patch = patch_size ?? DEFAULT_PATCH;
  const { width, height } = pictureSize(preprocessor, patch);
  const counted = Math.floor(height / patch) * Math.floor(width / patch) + (num_additional_image_tokens ?? 0);
  const made = source.graphs.vision?.signature.outputs[0]?.dims.at(-2);
  const tokens = typeof made === 'number' ? made : counted;
  if (tokens === counted && tokens > 0) return tokens;
  throw unsupported(source.path, `The vision graph makes ${tokens} tokens, the processor expects ${counted}`);
}
