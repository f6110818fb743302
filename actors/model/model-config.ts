/**
 * The JSON files of a model directory, reduced to the fields this project reads. Unknown fields are dropped, so
 * that what travels to a worker thread stays small; a field of the wrong type is an error when the directory is
 * opened, not in the middle of a request.
 */
import * as z from 'zod';

const positiveInt = z.int().positive();
export const tokenId = z.int().nonnegative();
/** One id or a list of them, as `eos_token_id` is written. */
export const tokenIds = z.union([tokenId.transform((id) => [id]), z.array(tokenId)]);

/** `config.json`, as far as it is read before the family is known. */
export const modelTypeSchema = z.looseObject({ model_type: z.string() });

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

/** `processor_config.json`; newer exports keep the image processor's settings inside it. */
export const processorConfigSchema = z.looseObject({
  image_processor: z.record(z.string(), z.unknown()).nullish(),
});

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
