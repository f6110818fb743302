/** The part of config.json that describes the decoder; families differ in what they leave to the architecture's defaults. */
import * as z from 'zod';
import { tokenIds } from '../model/model-config.ts';

const positiveInt = z.int().positive();

export const textConfigSchema = z.object({
  hidden_size: positiveInt.nullish(),
  num_hidden_layers: positiveInt.nullish(),
  num_attention_heads: positiveInt.nullish(),
  num_key_value_heads: positiveInt.nullish(),
  head_dim: positiveInt.nullish(),
  vocab_size: positiveInt.nullish(),
  max_position_embeddings: positiveInt.nullish(),
  eos_token_id: tokenIds.nullish(),
});
export type TextConfig = z.infer<typeof textConfigSchema>;
