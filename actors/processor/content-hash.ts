/**
 * The content hash of a preprocessed image: equal hashes mean equal input to the vision graph, so embeddings and
 * prompt prefixes can be reused across requests. Full SHA-256: an accidental or made collision would show one
 * user the content of another's image.
 */
import { createHash } from 'node:crypto';
import type { ImageTensor } from '../generation.ts';

/**
 * @param pixels float32 values as the vision graph gets them
 * @param shape of `pixels`
 * @param inputs what else the graph gets: images of one colour differ in nothing else
 * @param preprocessing what made them, as one string; two models' images never share a hash
 * @returns 64 hex digits
 */
export function contentHash(
  pixels: Float32Array,
  shape: readonly number[],
  inputs: Readonly<Record<string, ImageTensor>>,
  preprocessing: string,
): string {
  const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return createHash('sha256')
    .update(`${preprocessing}\n${shape.join('x')}\n${JSON.stringify(inputs)}\n`)
    .update(bytes)
    .digest('hex');
}
