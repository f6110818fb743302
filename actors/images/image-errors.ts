/** What can be wrong with an encoded image, in one place and one voice. */
import { InputError } from '../errors.ts';
import { latin1, SUPPORTED_FORMATS } from './image-format.ts';

/** @param problem after the field's name: `is a PDF document` */
export function unsupportedImage(
  field: string,
  bytes: Uint8Array,
  problem: string,
  remedy = `Use ${SUPPORTED_FORMATS}.`,
): InputError {
  const facts = { field, value: describe(bytes), remedy };
  return new InputError('IMAGE_FORMAT_UNSUPPORTED', problem, facts);
}

/** @param cause the decoder's own words name internals; they stay there */
export function corruptImage(field: string, bytes: Uint8Array, cause?: unknown): InputError {
  const remedy = 'Check that the file is complete and opens in an image viewer.';
  const facts = { field, value: describe(bytes), remedy };
  return new InputError('IMAGE_CORRUPT', 'the image cannot be decoded', facts, cause);
}

export interface ImageSizeLimits {
  readonly maxPixels: number;
  readonly maxSide: number;
}

/** @throws InputError IMAGE_TOO_LARGE_PIXELS when the claimed size is over a limit */
export function checkSize(
  field: string,
  { width, height }: { readonly width: number; readonly height: number },
  { maxPixels, maxSide }: ImageSizeLimits,
): void {
  if (width * height <= maxPixels && Math.max(width, height) <= maxSide) return;
  const [problem, limit] =
    width * height > maxPixels
      ? [`the image has more than ${maxPixels} pixels`, 'maxImagePixels']
      : [`a side of the image has more than ${maxSide} pixels`, 'maxImageSide'];
  const remedy = `Scale the image down, or raise limits.${limit}.`;
  throw new InputError('IMAGE_TOO_LARGE_PIXELS', problem, { field, value: `${width}×${height}`, remedy });
}

/** The size and the first bytes: enough to tell an HTML page or an empty file from an image. */
function describe(bytes: Uint8Array): string {
  return `${bytes.length} bytes beginning ${latin1(bytes, 0, 12)}`;
}
