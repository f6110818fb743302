/** The numbers of a vision tower of Idefics3, as its model directory has them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const levels = z.array(z.number()).length(3);

const configSchema = z.object({
  model_type: z.literal('idefics3'),
  scale_factor: z.int(),
  text_config: z.object({ hidden_size: z.int() }),
  vision_config: z.object({
    hidden_size: z.int(),
    intermediate_size: z.int(),
    num_hidden_layers: z.int(),
    num_attention_heads: z.int(),
    image_size: z.int(),
    patch_size: z.int(),
    layer_norm_eps: z.number(),
  }),
});

/** A picture is one tile: several would need labels that llama.cpp writes in its own way. */
const preprocessorSchema = z.object({
  do_image_splitting: z.literal(false),
  image_mean: levels,
  image_std: levels,
});

export interface VisionConfig {
  readonly tower: z.infer<typeof configSchema>['vision_config'];
  /** `scale²` patches become one token. */
  readonly scale: number;
  readonly textWidth: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** @throws ZodError where the model is of another family, or cuts pictures into tiles */
export async function visionConfig(model: string): Promise<VisionConfig> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(model, name), 'utf8'));
  const { vision_config, scale_factor, text_config } = configSchema.parse(await json('config.json'));
  const { image_mean, image_std } = preprocessorSchema.parse(await json('preprocessor_config.json'));
  return {
    tower: vision_config,
    scale: scale_factor,
    textWidth: text_config.hidden_size,
    mean: image_mean,
    deviation: image_std,
  };
}
