/**
 * The graph of decode steps (`model/rewrite/steps-alone.ts`) of a decoder whose packed weights are in a file: it is made of that
 * decoder's when it is loaded, and reads the same pages. A decoder that packs its weights in memory would have them twice there,
 * and goes without.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { DecoderFile } from '../model/model-directory.ts';
import { decodeModel, encodeModel } from '../model/onnx/onnx-proto.ts';
import { NotRewritable } from '../model/rewrite/not-rewritable.ts';
import { keepSteps } from '../model/rewrite/steps-alone.ts';
import { OrtSession, PACKED_GRAPH, PACKED_WEIGHTS } from './ort-session.ts';

/**
 * @returns undefined where steps have no graph of their own
 * @throws ModelError when it cannot be loaded
 */
export async function loadSteps(
  { rewrite }: Pick<DecoderFile, 'rewrite'>,
  threads: number,
): Promise<OrtSession | undefined> {
  if (!rewrite?.rewritten || basename(rewrite.path) !== PACKED_GRAPH) return undefined;
  const model = decodeModel(await readFile(rewrite.path));
  try {
    if (!keepSteps(model)) return undefined;
  } catch (error) {
    if (error instanceof NotRewritable) return undefined;
    throw error;
  }
  const weights = { externalDataFolder: dirname(rewrite.path), mappedWeights: [PACKED_WEIGHTS] };
  const settings = { threads, ...weights, optimized: true };
  return await OrtSession.load(encodeModel(model), settings);
}
