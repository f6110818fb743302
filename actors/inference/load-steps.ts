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
import { OrtSession, PACKED_GRAPH } from './ort-session.ts';

/** It is loaded once for each number of threads, and made once. */
export interface StepsGraph {
  readonly bytes: Uint8Array;
  /** Where its weights are. */
  readonly folder: string;
}

/** @returns undefined where steps have no graph of their own */
export async function stepsGraph({ rewrite }: Pick<DecoderFile, 'rewrite'>): Promise<StepsGraph | undefined> {
  if (!rewrite?.rewritten || basename(rewrite.path) !== PACKED_GRAPH) return undefined;
  const model = decodeModel(await readFile(rewrite.path));
  try {
    if (!keepSteps(model)) return undefined;
  } catch (error) {
    if (error instanceof NotRewritable) return undefined;
    throw error;
  }
  return { bytes: encodeModel(model), folder: dirname(rewrite.path) };
}

/** @throws ModelError when it cannot be loaded */
export async function loadSteps({ bytes, folder }: StepsGraph, threads: number): Promise<OrtSession> {
  return await OrtSession.load(bytes, { threads, externalDataFolder: folder, optimized: true });
}
