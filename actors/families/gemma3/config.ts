/** The JSON files of a Gemma 3 model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { textConfigSchema } from '../text-config.ts';
import { wholeImageSchema } from '../whole-image.ts';

const positiveInt = z.int().positive();
/** Real files leave out what they share with this one: gemma-3-4b names neither heads nor vocabulary. */
const orDefault = (value: number) => z.nullish(positiveInt).transform((said) => said ?? value);

const gemma3TextSchema = textConfigSchema.extend({
  num_attention_heads: orDefault(8),
  num_key_value_heads: orDefault(4),
  head_dim: orDefault(256),
  max_position_embeddings: orDefault(131_072),
  /** Tokens that one sees in a sliding layer, itself among them; null: all. */
  sliding_window: positiveInt.nullable().default(4096),
  layer_types: z.array(z.string()).nullish(),
  /** Where `layer_types` is not said: every so many layers one sees everything. */
  sliding_window_pattern: orDefault(6),
  _sliding_window_pattern: positiveInt.nullish(),
  /** Embedding models are made of this decoder with it. */
  use_bidirectional_attention: z.boolean().nullish(),
});

/** `config.json` */
export const gemma3ConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  mm_tokens_per_image: orDefault(256),
  eos_token_id: tokenIds.nullish(),
  text_config: z.nullish(gemma3TextSchema).transform((said) => said ?? gemma3TextSchema.parse({})),
});
export type Gemma3Text = z.infer<typeof gemma3TextSchema>;

const HALVES = [0.5, 0.5, 0.5] as const;

/** `preprocessor_config.json`. The reference's image processor does not crop, whatever the file says. */
export const preprocessorSchema = wholeImageSchema({
  side: 224,
  crop: false,
  resample: 2,
  mean: HALVES,
  std: HALVES,
})
  .omit({ do_center_crop: true })
  .extend({ do_pan_and_scan: z.boolean().default(false) })
  .transform((said) => ({ ...said, do_center_crop: false }));

/** `processor_config.json` */
export const processorSchema = z.object({ image_seq_length: positiveInt.nullish() });

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({ preprocessor: preprocessorSchema, tokens: positiveInt });
