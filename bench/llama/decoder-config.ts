/** The numbers of a decoder, as its model directory's `config.json` has them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const textSchema = z.object({
  hidden_size: z.int(),
  intermediate_size: z.int(),
  num_hidden_layers: z.int(),
  num_attention_heads: z.int(),
  num_key_value_heads: z.int(),
  head_dim: z.int(),
  vocab_size: z.int(),
  rope_theta: z.number(),
  rms_norm_eps: z.number(),
  max_position_embeddings: z.int(),
  rope_scaling: z.object({ mrope_section: z.array(z.int()) }).optional(),
  rope_local_base_freq: z.number().optional(),
  sliding_window: z.int().optional(),
  layer_types: z.array(z.string()).optional(),
});

const configSchema = z.looseObject({
  model_type: z.enum(['idefics3', 'qwen2_vl', 'gemma3']),
  text_config: z.unknown().optional(),
});

const generationSchema = z.object({
  bos_token_id: z.int().optional(),
  eos_token_id: z.union([z.int(), z.array(z.int())]),
});

export type TextConfig = z.infer<typeof textSchema>;

export interface DecoderConfig {
  readonly modelType: z.infer<typeof configSchema>['model_type'];
  readonly text: TextConfig;
  readonly bos: number | undefined;
  readonly eos: number;
}

/** @throws ZodError where the model is of a family that is not converted */
export async function decoderConfig(model: string): Promise<DecoderConfig> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(model, name), 'utf8'));
  const config = configSchema.parse(await json('config.json'));
  const { bos_token_id: bos, eos_token_id: ends } = generationSchema.parse(
    await json('generation_config.json'),
  );
  const [eos] = [ends].flat();
  if (eos === undefined) throw new Error('generation_config.json has no token that ends an answer');
  return { modelType: config.model_type, text: textSchema.parse(config.text_config ?? config), bos, eos };
}
