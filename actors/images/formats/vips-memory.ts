/**
 * What decoding an image takes, by what its head says: the pixels that come out, and what the decoder of each format
 * holds beside them. Found by measuring the peak of a process that decodes one image of 12 megapixels of each kind.
 */
import type { Metadata } from 'sharp';

/** What every decode takes, however small: the decoder's own state, and rows in work. */
const FIXED_BYTES = 512 * 1024;

/** Bytes a pixel that a decoder holds itself, beside its output. */
function heldByDecoder({ format, isProgressive, channels = 4, depth }: Metadata): number {
  const sample = depth === 'ushort' ? 2 : 1;
  switch (format) {
    case 'jpeg':
      return isProgressive ? channels * 2 : 0.25; // all coefficients
    case 'png':
      return isProgressive ? channels * sample : 0.25; // all passes
    case 'webp':
      return 9; // the frame, and the planes or the colours that it is made from
    case 'gif':
      return 4; // the canvas
    case 'heif':
      return sample === 2 ? 23 : 16; // planes of the codec, and of each step to RGB
    default:
      return channels * sample; // one strip may be the whole image
  }
}

/** @returns bytes, the decoded RGB included */
export function vipsDecodeBytes(metadata: Metadata): number {
  const { width, height, channels = 4, orientation = 1 } = metadata;
  const deep = metadata.format === 'tiff' && metadata.depth === 'ushort' ? 2 : 1;
  // Grey is decoded first and made RGB then; several bands are made RGB in place.
  const output = (channels < 3 ? channels + 3 : channels) * deep;
  // To turn an image it is held whole.
  const turned = orientation > 1 ? Math.max(3, channels) * deep : 0;
  return Math.ceil(FIXED_BYTES + width * height * (output + heldByDecoder(metadata) + turned));
}
