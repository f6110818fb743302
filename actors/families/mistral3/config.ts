/** The JSON files of a Mistral 3 model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { levelFields } from '../normalized-levels.ts';
import { textConfigSchema } from '../text-config.ts';

const positiveInt = z.int().positive();

const textSchema = textConfigSchema.extend({
  /** `mistral` (Mistral Small 3.1 and 3.2) or `ministral3`. */
  model_type: z.string().nullish(),
  /** Of all layers; null where there is none. */
  sliding_window: positiveInt.nullish(),
});
export type Mistral3Text = z.infer<typeof textSchema>;

/** `config.json` */
export const mistral3ConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  /** Side of the square of patches that becomes one token. */
  spatial_merge_size: positiveInt.nullish(),
  text_config: textSchema.nullish(),
  /** `patch_size`: side of a patch, pixels. */
  vision_config: z.object({ patch_size: positiveInt.nullish() }).nullish(),
});
export type Mistral3Config = z.infer<typeof mistral3ConfigSchema>;

const DEFAULT_EDGE = 1024;
const bounds = z.union([
  z.object({ longest_edge: positiveInt }).transform(({ longest_edge }) => square(longest_edge)),
  z.object({ height: positiveInt, width: positiveInt }),
  positiveInt.transform(square),
]);

function square(side: number) {
  return { height: side, width: side };
}

/** `preprocessor_config.json`. Its `patch_size` says nothing: the processor puts its own in the place of it. */
export const preprocessorSchema = z.object({
  do_resize: z.boolean().default(true),
  /** Larger images are brought into it. */
  size: bounds.default(square(DEFAULT_EDGE)),
  do_center_crop: z.boolean().default(false),
  /** Pillow's filter id. */
  resample: z.int().min(0).max(5).default(3),
  ...levelFields([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
});

/** `processor_config.json` */
export const processorSchema = z.object({
  patch_size: positiveInt.nullish(),
  spatial_merge_size: positiveInt.nullish(),
  image_token: z.string().min(1).nullish(),
  image_break_token: z.string().min(1).nullish(),
  image_end_token: z.string().min(1).nullish(),
});
export type Mistral3Processor = z.infer<typeof processorSchema>;

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({
  preprocessor: preprocessorSchema,
  /** Side of the square that becomes one token, pixels. */
  side: positiveInt,
  /** Texts of the image token, of what follows each row of them, and of what follows the last. */
  image: z.string(),
  rowEnd: z.string(),
  imageEnd: z.string(),
  /** Whether the vision graph is told the size of the pixels. */
  takesSize: z.boolean(),
});
export type Mistral3Settings = z.infer<typeof settingsSchema>;
