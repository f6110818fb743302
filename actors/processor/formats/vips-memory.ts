/**
 * What decoding an image takes, by what its head says: the pixels that come out, and what the decoder of each format
 * holds beside them. Bounds, found by measuring each kind at 12 and 36 megapixels; see the test that repeats it.
 */
import type { Metadata } from 'sharp';

/** What every decode takes, however small: the decoder's own state, and rows in work. */
const FIXED_BYTES = 512 * 1024;

/** Bytes a pixel that a decoder holds itself, beside its output. */
function heldByDecoder({ format, isProgressive, hasAlpha, channels = 4, depth }: Metadata): number {
  const sample = depth === 'ushort' ? 2 : 1;
  switch (format) {
    case 'jpeg':
      return isProgressive ? channels * 2 : 0; // all coefficients
    case 'png':
      return isProgressive ? channels * sample : 0; // all passes
    case 'webp':
      return 8; // the frame, and the planes or the argb that it is made from
    case 'gif':
      return 8; // the canvas
    case 'heif':
      return (hasAlpha ? 4 : 3) * 2 * sample + 4; // planes at full size, and the same interleaved
    default:
      return channels * sample; // one strip may be the whole image
  }
}

/** @returns bytes, the decoded RGB included */
export function vipsDecodeBytes(metadata: Metadata): number {
  const { width, height, channels = 4, depth, orientation = 1 } = metadata;
  const pixels = width * height;
  // Grey is decoded first and made RGB then; several bands are made RGB in place.
  const output = channels < 3 ? channels + 3 : Math.max(3, channels);
  const deep = depth === 'ushort' ? 2 : 1;
  // To turn an image it is held whole.
  const turned = orientation > 1 ? Math.max(3, channels) * deep : 0;
  return FIXED_BYTES + pixels * (output * deep + heldByDecoder(metadata) + turned);
}
