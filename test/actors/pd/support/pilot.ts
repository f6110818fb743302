/** The pilot model at work on its golden questions, without actors. */

import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { VisionEncoder } from '../../../../actors/encoder/vision-encoder.ts';
import type { ModelDirectory } from '../../../../actors/model/model-directory.ts';
import { REWRITERS } from '../../../../actors/model/rewrite/rewriters.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { type EngineLoadOptions, PdEngine } from '../../../../actors/pd/engine/engine.ts';
import { type Golden, goldenImage, goldens } from '../../../support/golden.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';
import { encodeTiles } from '../../encoder/support/encode-tiles.ts';

export interface EncodedGolden extends Golden {
  /** `[1, 3, 80, 80]`. */
  readonly pixels: Float32Array;
  /** `[1, 25, 128]`. */
  readonly embeddings: Float32Array;
}

/** Side of every golden picture, pixels. */
export const SIDE = 80;

/** `plain`: the decoder as it came. */
export type DecoderKind = 'plain' | 'rewritten';

export function pilotDirectory(kind: DecoderKind = 'rewritten'): Promise<ModelDirectory> {
  return openModelDirectory(PILOT_MODEL, kind === 'plain' ? {} : { rewrite: REWRITERS });
}

/** A golden picture as the vision graph takes it: `(value / 255 - 0.5) / 0.5`, channel by channel. */
export async function goldenPixels(golden: Golden): Promise<Float32Array> {
  const rgb = await sharp(fileURLToPath(goldenImage(golden)))
    .removeAlpha()
    .raw()
    .toBuffer();
  const area = SIDE * SIDE;
  return Float32Array.from({ length: 3 * area }, (_, index) => {
    const value = rgb[(index % area) * 3 + Math.floor(index / area)] ?? 0;
    return (value / 255 - 0.5) / 0.5;
  });
}

/** All goldens, encoded one by one; a single vision session is made and freed. */
export async function encodedGoldens(): Promise<EncodedGolden[]> {
  const encoder = await VisionEncoder.load(await pilotDirectory(), { threads: 1 });
  const encoded: EncodedGolden[] = [];
  for (const golden of goldens) {
    const pixels = await goldenPixels(golden);
    const embeddings = await encodeTiles(encoder, pixels, [1, 3, SIDE, SIDE]);
    encoded.push({ ...golden, pixels, embeddings });
  }
  await encoder.release();
  return encoded;
}

export async function pilotEngine(
  options: Partial<EngineLoadOptions> = {},
  kind: DecoderKind = 'rewritten',
): Promise<PdEngine> {
  return await PdEngine.load(await pilotDirectory(kind), {
    threads: 1,
    maxRunning: 16,
    maxWaiting: 64,
    ...options,
  });
}
