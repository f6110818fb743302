/** Inputs of the right shape for the embedded model; what they say does not matter to how long they take. */
import { availableParallelism } from 'node:os';
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import { REWRITERS } from '../actors/model/rewrite/rewriters.ts';
import { openModelDirectory } from '../actors/open-model-directory.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../src/index.ts';
import { type Precision, precisionOf } from './generated-model/precision.ts';

export const THREADS = availableParallelism();

export const EMBEDDED_MODEL = DEFAULT_MODEL_DIRECTORY;

export function openEmbeddedModel(): Promise<ModelDirectory> {
  return openModelDirectory(EMBEDDED_MODEL, {
    rewrite: REWRITERS,
  });
}

/** The precision that an engine chooses by itself: each side of a comparison is told the same. */
export async function embeddedPrecision(): Promise<Precision> {
  const { dtype } = (await openEmbeddedModel()).graphs.decoder;
  return precisionOf(dtype);
}

export function pixelsOf(tiles: number, side: number): Float32Array {
  return Float32Array.from({ length: tiles * 3 * side * side }, (_, index) => Math.sin(index));
}

/** Text tokens only, none of them special. */
export function promptOf(length: number, { geometry }: ModelDirectory): Int32Array {
  const firstOrdinary = 64;
  return Int32Array.from(
    { length },
    (_, index) => firstOrdinary + (index % (geometry.vocabSize - firstOrdinary)),
  );
}
