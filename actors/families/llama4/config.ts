/** The JSON files of a Llama 4 model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { levelFields } from '../normalized-levels.ts';
import { textConfigSchema } from '../text-config.ts';

const positiveInt = z.int().positive();
const ratio = z.number().gt(0).max(1);
const HALVES = [0.5, 0.5, 0.5] as const;

/** `config.json` */
export const llama4ConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  text_config: textConfigSchema.extend({
    /** Layers with rotary embedding see the tokens of their own chunk. Null: all. */
    attention_chunk_size: positiveInt.nullish(),
  }),
  vision_config: z
    .object({
      /** Side of one patch, pixels. */
      patch_size: positiveInt.nullish(),
      /** Pixel shuffle: `1 / ratio²` patches become one image token. */
      pixel_shuffle_ratio: ratio.nullish(),
    })
    .default({}),
});

const SIDE = 336;
const exactSize = z.object({ height: positiveInt, width: positiveInt });

/** `preprocessor_config.json` */
export const preprocessorSchema = z.object({
  do_resize: z.boolean().default(true),
  /** One tile, pixels. A number is both sides. */
  size: z
    .union([positiveInt.transform((one) => ({ height: one, width: one })), exactSize])
    .default({ height: SIDE, width: SIDE }),
  /** Most tiles that an image is cut into, the whole image as one more not counted. */
  max_patches: positiveInt.max(1024).default(16),
  /** Whether images are enlarged as far as a canvas goes. */
  resize_to_max_canvas: z.boolean().default(false),
  /** Pillow's filter id. */
  resample: z.int().min(0).max(5).default(2),
  ...levelFields(HALVES, HALVES),
});
export type Llama4Preprocessor = z.infer<typeof preprocessorSchema>;

/** `processor_config.json` */
export const processorSchema = z.object({
  patch_size: positiveInt.nullish(),
  pixel_shuffle_ratio: ratio.nullish(),
});

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({ preprocessor: preprocessorSchema, tokensPerTile: positiveInt });
