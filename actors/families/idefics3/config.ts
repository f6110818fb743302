/** The JSON files of an Idefics3 or SmolVLM model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { levelFields } from '../normalized-levels.ts';
import { textConfigSchema } from '../text-config.ts';

const positiveInt = z.int().positive();

/** `config.json` */
export const idefics3ConfigSchema = z.object({
  image_token_id: tokenId.nullish(),
  /** Pixel shuffle: `scale_factor²` patches become one image token. */
  scale_factor: positiveInt.default(2),
  eos_token_id: tokenIds.nullish(),
  text_config: textConfigSchema.extend({
    hidden_size: positiveInt,
    num_hidden_layers: positiveInt,
    num_attention_heads: positiveInt,
    vocab_size: positiveInt,
    max_position_embeddings: positiveInt,
  }),
  vision_config: z
    .object({
      /** Side of one patch, pixels. */
      patch_size: positiveInt.default(32),
    })
    .default({ patch_size: 32 }),
});

const longestEdge = z.object({ longest_edge: positiveInt });
const HALVES = [0.5, 0.5, 0.5] as const;

/** `preprocessor_config.json` */
export const preprocessorSchema = z.object({
  do_resize: z.boolean().default(true),
  /** The longer side is brought to this many pixels. */
  size: longestEdge.default({ longest_edge: 4 * 364 }),
  do_image_splitting: z.boolean().default(true),
  /** Side of one tile, pixels. */
  max_image_size: longestEdge.default({ longest_edge: 364 }),
  /** Pillow's filter ids: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. */
  resample: z.int().min(0).max(5).default(1),
  ...levelFields(HALVES, HALVES),
});
export type Idefics3Preprocessor = z.infer<typeof preprocessorSchema>;

/** `processor_config.json` */
export const processorSchema = z.object({ image_seq_len: positiveInt.nullish() });

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({ preprocessor: preprocessorSchema, tokensPerTile: positiveInt });
