import { imagesOf } from '../actors/families/registry.ts';
import type { ModelDirectory } from '../actors/model/model-directory.ts';

/** Side of the pictures that the model's vision graph takes, pixels. */
export function tileSideOf(directory: ModelDirectory): number {
  return imagesOf(directory).plan({ width: 64, height: 64 }).shape.at(-1) ?? 0;
}
