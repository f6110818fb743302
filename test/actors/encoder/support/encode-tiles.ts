import type { VisionEncoder } from '../../../../actors/encoder/vision-encoder.ts';

/** Of the pilot model. */
const TOKENS = 25;
const HIDDEN = 128;

/** Tiles through a vision graph. @returns `[tiles, tokens, hidden]`, flat */
export async function encodeTiles(
  encoder: VisionEncoder,
  pixels: Float32Array,
  shape: readonly number[],
  target: Float32Array = new Float32Array((shape[0] ?? 0) * TOKENS * HIDDEN),
): Promise<Float32Array> {
  const [parts = 0] = shape;
  await encoder.encode({ pixels, shape, parts, tokens: parts * TOKENS, inputs: {} }, [target]);
  return target;
}
