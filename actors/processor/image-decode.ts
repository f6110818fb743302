/**
 * Encoded image bytes to 8-bit RGB pixels, as the reference's loader makes them: upright (EXIF orientation
 * applied), transparency composited on white, 16 bits cut to 8, colour profiles ignored, the first frame of an
 * animation. Bytes come from strangers: format and claimed size are checked before anything is decoded, and a
 * truncated image is an error, not a picture with a grey half.
 */
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { InputError } from '../errors.ts';
import { imageFormat, SUPPORTED_FORMATS } from './image-format.ts';
import type { RgbImage } from './resize.ts';
import { cmykToRgb, greyToRgb, rgbaOnWhite } from './to-rgb.ts';

export interface ImageDecodeOptions {
  /** Most pixels an image may claim to have. Default 40 megapixels. */
  readonly maxPixels?: number;
}

const DEFAULT_MAX_PIXELS = 40_000_000;

/** Errors in the data abort, harmless oddities (stray bytes between markers) do not; profiles are not applied. */
const INPUT: SharpOptions = { failOn: 'error', ignoreIcc: true, limitInputPixels: false };

/**
 * @param field where the image sits in the request, for errors: `messages[0].content[1].image`
 * @throws InputError IMAGE_FORMAT_UNSUPPORTED, IMAGE_CORRUPT, IMAGE_TOO_LARGE_PIXELS
 */
export async function decodeImage(
  bytes: Uint8Array,
  field: string,
  { maxPixels = DEFAULT_MAX_PIXELS }: ImageDecodeOptions = {},
): Promise<RgbImage> {
  if (imageFormat(bytes) === null) {
    const remedy = `Use ${SUPPORTED_FORMATS}.`;
    const value = describe(bytes);
    throw new InputError('IMAGE_FORMAT_UNSUPPORTED', 'is no image of a supported format', {
      field,
      value,
      remedy,
    });
  }
  try {
    const { width, height, space } = await readHeader(bytes, field, maxPixels);
    const limits = { ...INPUT, limitInputPixels: width * height };
    return toRgb(await readPixels(sharp(bytes, limits), space));
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const remedy = 'Check that the file is complete and opens in an image viewer.';
    // The decoder's own words name internals; they stay in `cause`.
    const facts = { field, value: describe(bytes), remedy };
    throw new InputError('IMAGE_CORRUPT', 'the image cannot be decoded', facts, cause);
  }
}

async function readHeader(bytes: Uint8Array, field: string, maxPixels: number): Promise<Metadata> {
  const metadata = await sharp(bytes, INPUT).metadata();
  const { width, height } = metadata;
  if (width * height <= maxPixels) return metadata;
  throw new InputError('IMAGE_TOO_LARGE_PIXELS', `the image has more than ${maxPixels} pixels`, {
    field,
    value: `${width}×${height}`,
    remedy: 'Scale the image down before sending it.',
  });
}

interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly cmyk: boolean;
}

async function readPixels(image: Sharp, space: string | undefined): Promise<RawPixels> {
  const cmyk = space === 'cmyk';
  // CMYK is taken as it is: the conversion of the reference is simpler than a colour-managed one.
  const converted = cmyk
    ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
    : image.toColourspace('srgb');
  const { data, info } = await converted
    .autoOrient()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { data: bytes, width: info.width, height: info.height, channels: info.channels, cmyk };
}

/** In place where possible: the pixels of a photograph are held once. */
function toRgb({ data, width, height, channels, cmyk }: RawPixels): RgbImage {
  if (cmyk) return { width, height, data: cmykToRgb(data, channels) };
  if (channels === 3) return { width, height, data };
  return { width, height, data: channels < 3 ? greyToRgb(data, channels) : rgbaOnWhite(data) };
}

/** The size and the first bytes: enough to tell an HTML page or an empty file from an image. */
function describe(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  return `${bytes.length} bytes beginning ${start}`;
}
