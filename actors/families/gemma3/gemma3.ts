/**
 * Gemma 3: a SigLIP tower, its patches averaged to 256 tokens, and a decoder whose layers see a sliding window, every
 * sixth all (Gemma Team 2025, "Gemma 3 Technical Report"). An image is one square picture; in the prompt a control token
 * stands before its tokens and one behind them. The tokens of an image see each other both ways.
 *
 * Positions count from 0 here, and from 1 in some exports: rotary embedding knows distances alone, so a constant
 * shift of all positions changes nothing beyond rounding.
 */
import { ModelError } from '../../errors.ts';
import type { JsonValue } from '../../model/model-directory.ts';
import { decoderNumbers, eosTokenIds, imageTokenOf, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ModelFamily } from '../family.ts';
import { picturePlanner, pictureSize, tokensPerPicture } from '../fixed-picture.ts';
import type { ModelSource } from '../model-source.ts';
import {
  type Gemma3Text,
  gemma3ConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
} from './config.ts';

const BEGIN = '<start_of_image>';
const END = '<end_of_image>';
const IMAGE = '<image_soft_token>';
/** The architecture's, for configurations that leave them out. */
const DEFAULT_IMAGE_TOKEN_ID = 262_144;
const DEFAULT_VOCABULARY = 262_208;

export const gemma3: ModelFamily = { modelTypes: ['gemma3'], read, images };

function read(source: ModelSource): FamilyModel {
  const config = source.config(gemma3ConfigSchema);
  const text = config.text_config;
  if (text.use_bidirectional_attention === true) {
    throw unsupported(source.path, 'use_bidirectional_attention: a decoder that sees ahead cannot answer');
  }
  const preprocessor = source.preprocessor(preprocessorSchema, ['Gemma3ImageProcessor']);
  if (preprocessor.do_pan_and_scan) throw noCrops(source.path);
  pictureSize(source, preprocessor);
  const { image_seq_length } = source.processor(processorSchema);
  const { mm_tokens_per_image } = config;
  const tokens = tokensPerPicture(source, { image_seq_length, mm_tokens_per_image }, mm_tokens_per_image);
  const defaults = { vocabSize: DEFAULT_VOCABULARY };
  const numbers = decoderNumbers(source, { text, defaults, span: windowOf(text) });
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, config),
      seesAhead: 'images',
      imageInputs: [],
      joinsImages: true,
    },
    settings: { preprocessor, tokens },
  };
}

/** Tokens that a sliding layer sees; undefined when there is none. */
function windowOf(text: Gemma3Text): number | undefined {
  const pattern = text._sliding_window_pattern ?? text.sliding_window_pattern;
  const slides = text.layer_types?.includes('sliding_attention') ?? pattern > 1;
  return slides ? (text.sliding_window ?? undefined) : undefined;
}

/** The reference's processor leaves the crops out too, unless a call asks for them. */
function noCrops(path: string): ModelError {
  const remedy =
    'Set do_pan_and_scan to false in the preprocessor configuration: images are seen whole then.';
  return new ModelError(
    'MODEL_UNSUPPORTED',
    'Pan and scan (further pictures cut from an image) is not done',
    {
      path,
      remedy,
    },
  );
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, tokens } = settingsSchema.parse(settings);
  return {
    placeholder: BEGIN,
    summary: `one picture squeezed to a square, ${tokens} tokens`,
    plan: picturePlanner(preprocessor, tokens, `\n\n${BEGIN}${IMAGE.repeat(tokens)}${END}\n\n`),
  };
}
