/** The JSON files of a LLaVA 1.5 model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { textConfigSchema } from '../text-config.ts';
import { wholeImageSchema } from '../whole-image.ts';

const positiveInt = z.int().positive();
const strategy = z.enum(['default', 'full']);

/** `config.json` */
export const llavaConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  vision_feature_select_strategy: strategy.nullish(),
  eos_token_id: tokenIds.nullish(),
  /** Real files name no sizes: Vicuna-7B's are the architecture's defaults. */
  text_config: textConfigSchema,
  vision_config: z.object({ patch_size: positiveInt.nullish() }).default({}),
});

/** CLIP's. */
export const preprocessorSchema = wholeImageSchema({
  side: 224,
  crop: true,
  resample: 3,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
});

/** `processor_config.json` */
export const processorSchema = z.object({
  patch_size: positiveInt.nullish(),
  num_additional_image_tokens: z.int().nonnegative().nullish(),
  vision_feature_select_strategy: strategy.nullish(),
});

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({ preprocessor: preprocessorSchema, tokens: positiveInt });
