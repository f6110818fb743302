/** The JSON files of a PaliGemma model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { textConfigSchema } from '../text-config.ts';
import { wholeImageSchema } from '../whole-image.ts';

const positiveInt = z.int().positive();

/** `config.json` */
export const paligemmaConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  text_config: z.nullish(
    textConfigSchema.extend({
      model_type: z.string().default('gemma'),
      num_image_tokens: positiveInt.nullish(),
      layer_types: z.array(z.string()).nullish(),
      /** Tokens that one sees in a sliding layer, itself among them; null: all. */
      sliding_window: positiveInt.nullish(),
    }),
  ),
  vision_config: z
    .object({ patch_size: positiveInt.nullish(), num_image_tokens: positiveInt.nullish() })
    .nullish(),
});
export type PaligemmaConfig = z.infer<typeof paligemmaConfigSchema>;

const HALVES = [0.5, 0.5, 0.5] as const;

/** SigLIP's. */
const pictureSchema = wholeImageSchema({
  side: 224,
  crop: false,
  resample: 3,
  mean: HALVES,
  std: HALVES,
});

/** `preprocessor_config.json` */
export const preprocessorSchema = pictureSchema.extend({ image_seq_length: positiveInt.nullish() });

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({ preprocessor: pictureSchema, tokens: positiveInt });
