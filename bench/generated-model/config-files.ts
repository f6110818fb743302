/** The JSON files of a generated model. */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { FamilyFiles } from './families/family-files.ts';
import { gemma3Files } from './families/gemma3-files.ts';
import { idefics3Files } from './families/idefics3-files.ts';
import { qwen2VlFiles } from './families/qwen2-vl-files.ts';
import type { ModelShape } from './shape.ts';
import type { PaddedTokenizer } from './tokenizer.ts';

const FAMILIES: Record<ModelShape['modelType'], FamilyFiles> = {
  idefics3: idefics3Files,
  qwen2_vl: qwen2VlFiles,
  gemma3: gemma3Files,
};

/** Control tokens that the tokenizer has to have. */
export function controlsOf({ modelType }: ModelShape): readonly string[] {
  return FAMILIES[modelType].controls;
}

/** File name → contents. */
export function configFiles(
  shape: ModelShape,
  tokenizer: PaddedTokenizer,
  embedded: ModelDirectory,
): Record<string, unknown> {
  return {
    'tokenizer.json': tokenizer.json,
    ...FAMILIES[shape.modelType].files(shape, tokenizer, embedded),
  };
}
