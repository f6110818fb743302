/** The JSON files of a LLaVA 1.5 model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { textConfigSchema } from '../text-config.ts';
import { type WholeImageDefaults, wholeImageSchema } from '../whole-image.ts';

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

/** `preprocessor_config.json`. @param defaults of the model's processor */
export function pictureSchema(defaults: WholeImageDefaults) {
  return wholeImageSchema(defaults).extend({
    /** Of `LlavaImageProcessor` alone: the picture is made square before. */
    do_pad: z.boolean().nullish(),
    image_processor_type: z.string().nullish(),
  });
}

type Picture = ReturnType<ReturnType<typeof pictureSchema>['parse']>;

/** The settings of a processor, with what is around a picture that it makes square. */
export function withBackground({ do_pad, image_processor_type: type, ...picture }: Picture) {
  const pads = do_pad === true && type?.startsWith('LlavaImageProcessor') === true;
  const levels = picture.image_mean.map((mean) => Math.trunc(mean * 255));
  return { ...picture, ...(pads ? { background: levels } : {}) };
}

/** CLIP's. */
const CLIP: WholeImageDefaults = {
  side: 224,
  crop: true,
  resample: 3,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
export const preprocessorSchema = pictureSchema(CLIP);

/** `processor_config.json` */
export const processorSchema = z.object({
  patch_size: positiveInt.nullish(),
  num_additional_image_tokens: z.int().nonnegative().nullish(),
  vision_feature_select_strategy: strategy.nullish(),
});

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({
  preprocessor: wholeImageSchema(CLIP).extend({ background: z.array(z.int().min(0).max(255)).optional() }),
  tokens: positiveInt,
});
