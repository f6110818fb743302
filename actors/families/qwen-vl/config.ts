/** The JSON files of a Qwen-VL model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { levelFields } from '../normalized-levels.ts';
import { textConfigSchema } from '../text-config.ts';

const positiveInt = z.int().positive();

/** The decoder's numbers, and which of its layers see a window of the past only. */
const textSchema = textConfigSchema.extend({
  use_sliding_window: z.boolean().nullish(),
  sliding_window: positiveInt.nullish(),
  /** Layers before this one see everything. */
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
});
export type QwenTextConfig = z.infer<typeof textSchema>;

/** `config.json`. Published Qwen2-VL and Qwen2.5-VL models keep the decoder's numbers at the top, later ones in `text_config`. */
export const qwenConfigSchema = textSchema.extend({
  text_config: textSchema.nullish(),
  image_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  vision_config: z
    .object({
      /** Side of the square of patches that becomes one token. */
      spatial_merge_size: positiveInt.nullish(),
      /** Layers of the vision graph whose output is added behind decoder layers. */
      deepstack_visual_indexes: z.array(z.int()).nullish(),
    })
    .nullish(),
});
export type QwenConfig = z.infer<typeof qwenConfigSchema>;

/** Least and most pixels of a resized image. Files of every age say them in one of these ways. */
const pixelBounds = z.object({
  shortest_edge: positiveInt.nullish(),
  longest_edge: positiveInt.nullish(),
  min_pixels: positiveInt.nullish(),
  max_pixels: positiveInt.nullish(),
});

const DEFAULT_MIN_PIXELS = 56 * 56;
const DEFAULT_MAX_PIXELS = 28 * 28 * 1280;
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/** `preprocessor_config.json` */
export const preprocessorSchema = z
  .object({
    do_resize: z.boolean().default(true),
    size: pixelBounds.nullish(),
    min_pixels: positiveInt.nullish(),
    max_pixels: positiveInt.nullish(),
    /** Pillow's filter id. */
    resample: z.int().min(0).max(5).default(3),
    /** Side of a patch, pixels. */
    patch_size: positiveInt.default(14),
    /** Frames of a patch; an image fills them all. */
    temporal_patch_size: positiveInt.default(2),
    merge_size: positiveInt.default(2),
    ...levelFields(CLIP_MEAN, CLIP_STD),
  })
  .transform(({ size, min_pixels, max_pixels, ...rest }) => ({
    ...rest,
    min_pixels: min_pixels ?? size?.shortest_edge ?? size?.min_pixels ?? DEFAULT_MIN_PIXELS,
    max_pixels: max_pixels ?? size?.longest_edge ?? size?.max_pixels ?? DEFAULT_MAX_PIXELS,
  }));
export type QwenPreprocessor = z.infer<typeof preprocessorSchema>;

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({
  preprocessor: preprocessorSchema,
  imageTokenId: tokenId,
  /** What the vision graph calls the grid of patches. */
  gridInput: z.string(),
  /** Whether the export leaves out what the checkpoint adds behind decoder layers. */
  lacksDeepstack: z.boolean(),
});
