/**
 * The JSON files of a model directory, reduced to the fields this project reads. Unknown fields are dropped, so
 * that what travels to a worker thread stays small; a field of the wrong type is an error when the directory is
 * opened, not in the middle of a request.
 */
import * as z from 'zod';

const positiveInt = z.int().positive();
const tokenId = z.int().nonnegative();
/** One id or a list of them, as `eos_token_id` is written. */
const tokenIds = z.union([tokenId.transform((id) => [id]), z.array(tokenId)]);

export const textConfigSchema = z.object({
  hidden_size: positiveInt,
  num_hidden_layers: positiveInt,
  num_attention_heads: positiveInt,
  num_key_value_heads: positiveInt.nullish(),
  head_dim: positiveInt.nullish(),
  vocab_size: positiveInt,
  max_position_embeddings: positiveInt,
  eos_token_id: tokenIds.nullish(),
  pad_token_id: z.int().nullish(),
});

export const visionConfigSchema = z.object({
  /** Side of the square the vision graph was trained on, pixels. */
  image_size: positiveInt.default(224),
  /** Side of one patch, pixels. */
  patch_size: positiveInt.default(32),
});

/** `config.json` */
export const modelConfigSchema = z.object({
  model_type: z.string(),
  image_token_id: tokenId.nullish(),
  /** Pixel shuffle: `scale_factor²` patches become one image token. */
  scale_factor: positiveInt.default(2),
  eos_token_id: tokenIds.nullish(),
  pad_token_id: z.int().nullish(),
  text_config: textConfigSchema,
  vision_config: visionConfigSchema.default({ image_size: 224, patch_size: 32 }),
});
export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** `generation_config.json`; every field may be absent. */
export const generationConfigSchema = z.object({
  eos_token_id: tokenIds.nullish(),
  pad_token_id: z.int().nullish(),
  do_sample: z.boolean().nullish(),
  max_new_tokens: positiveInt.nullish(),
  temperature: z.number().min(0).nullish(),
  top_k: z.int().nonnegative().nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(1e-6).max(1e6).nullish(),
});
export type GenerationConfig = z.infer<typeof generationConfigSchema>;

const perChannel = z.tuple([z.number(), z.number(), z.number()]);
/** Pixels are divided by it. */
const deviation = z.number().min(1e-6);
const deviations = z.tuple([deviation, deviation, deviation]);
const halves: [number, number, number] = [0.5, 0.5, 0.5];
const longestEdge = z.object({ longest_edge: positiveInt });

/** `preprocessor_config.json`, with the defaults of the reference image processor. */
export const preprocessorConfigSchema = z.object({
  do_resize: z.boolean().default(true),
  /** The longer side is brought to this many pixels. */
  size: longestEdge.default({ longest_edge: 4 * 364 }),
  do_image_splitting: z.boolean().default(true),
  /** Side of one tile, pixels. */
  max_image_size: longestEdge.default({ longest_edge: 364 }),
  /** Pillow's filter ids: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. */
  resample: z.int().min(0).max(5).default(1),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default(halves),
  image_std: deviations.default(halves),
});
export type PreprocessorConfig = z.infer<typeof preprocessorConfigSchema>;

/** `processor_config.json`; newer exports keep the image processor's settings inside it. */
export const processorConfigSchema = z.object({
  image_seq_len: positiveInt.nullish(),
  image_processor: z.record(z.string(), z.unknown()).nullish(),
});
export type ProcessorConfig = z.infer<typeof processorConfigSchema>;

/** A special token is written as its text or as an object around it. */
const specialToken = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

/** `tokenizer_config.json` */
export const tokenizerConfigSchema = z.object({
  tokenizer_class: z.string().nullish(),
  bos_token: specialToken.nullish(),
  eos_token: specialToken.nullish(),
  pad_token: specialToken.nullish(),
  unk_token: specialToken.nullish(),
  remove_space: z.boolean().nullish(),
  do_lowercase_and_remove_accent: z.boolean().nullish(),
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});
export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/** `chat_template.json` */
export const chatTemplateSchema = z.object({ chat_template: z.string() });
