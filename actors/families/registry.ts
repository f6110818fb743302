/** The model families that can be served, found by `model_type`. */
import { ModelError } from '../errors.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { ImageFamily, ModelFamily } from './family.ts';
import { gemma3 } from './gemma3/gemma3.ts';
import { idefics3 } from './idefics3/idefics3.ts';
import { llama4 } from './llama4/llama4.ts';
import { llava } from './llava/llava.ts';
import { llavaQwen2 } from './llava/llava-qwen2.ts';
import { llavaOnevision } from './llava_onevision/llava-onevision.ts';
import { mistral3 } from './mistral3/mistral3.ts';
import { paligemma } from './paligemma/paligemma.ts';
import { qwen25Vl } from './qwen-vl/qwen2-5-vl.ts';
import { qwen2Vl } from './qwen-vl/qwen2-vl.ts';
import { qwen3Vl } from './qwen-vl/qwen3-vl.ts';

const FAMILIES: readonly ModelFamily[] = [
  gemma3,
  idefics3,
  llama4,
  llava,
  llavaQwen2,
  llavaOnevision,
  mistral3,
  paligemma,
  qwen2Vl,
  qwen25Vl,
  qwen3Vl,
];

/** Every `model_type` that can be served. */
export const SUPPORTED_MODEL_TYPES: readonly string[] = FAMILIES.flatMap((family) => family.modelTypes);

/** @param path the model directory, for the error. @throws ModelError MODEL_UNSUPPORTED */
export function findFamily(modelType: string, path: string): ModelFamily {
  const family = FAMILIES.find((one) => one.modelTypes.includes(modelType));
  if (family !== undefined) return family;
  const remedy = `Use a model of a supported type: ${SUPPORTED_MODEL_TYPES.join(', ')}.`;
  throw new ModelError('MODEL_UNSUPPORTED', `Models of type ${JSON.stringify(modelType)} are not supported`, {
    path,
    remedy,
  });
}

/** What a model's family does with its images. @throws ModelError MODEL_UNSUPPORTED */
export function imagesOf({
  modelType,
  path,
  settings,
}: Pick<ModelDirectory, 'modelType' | 'path' | 'settings'>): ImageFamily {
  return findFamily(modelType, path).images(settings);
}
