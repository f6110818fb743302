/**
 * Encoded image bytes to 8-bit RGB pixels, as the reference's loader makes them: upright (EXIF orientation
 * applied), transparency composited on white, 16 bits cut to 8, colour profiles ignored, the first frame of an
 * animation. Bytes come from strangers: format and claimed size are checked before anything is decoded, what decoding
 * will take is known before it begins, and a truncated image is an error, not a picture with a grey half.
 */
import { type BmpHeader, bmpHeader } from './formats/bmp-header.ts';
import { bmpPixels } from './formats/bmp-pixels.ts';
import { type FirstFrame, onCanvas } from './formats/first-frame.ts';
import { gifFirstFrame } from './formats/gif-first-frame.ts';
import { heifWithKnownBrand } from './formats/heif-brand.ts';
import { icoBitmap, icoEntry } from './formats/ico-entry.ts';
import { tiffKind } from './formats/tiff-kind.ts';
import { readVipsImage } from './formats/vips-image.ts';
import { webpFirstFrame } from './formats/webp-first-frame.ts';
import { checkSize, corruptImage, type ImageSizeLimits, unsupportedImage } from './image-errors.ts';
import { type ImageFormat, imageFormat, otherFormat } from './image-format.ts';
import type { RgbImage } from './resize.ts';

/** An image whose head was read. */
export interface ReadableImage {
  /** Upright, in pixels, as the head claims; decoding gives this size or fails. */
  readonly width: number;
  readonly height: number;
  /** Most memory that decoding takes at one time, the decoded pixels included and the encoded bytes not. */
  readonly decodeBytes: number;
  /** @throws InputError IMAGE_CORRUPT, IMAGE_FORMAT_UNSUPPORTED */
  decode(): Promise<RgbImage>;
}

/** Default 40 megapixels, and 65,535 a side: the most that a JPEG can have. */
export const DEFAULT_SIZE_LIMITS: ImageSizeLimits = { maxPixels: 40_000_000, maxSide: 65_535 };

/**
 * @param field where the image sits in the request, for errors: `messages[0].content[1].image`
 * @throws InputError IMAGE_FORMAT_UNSUPPORTED, IMAGE_CORRUPT, IMAGE_TOO_LARGE_PIXELS
 */
export async function readImage(
  bytes: Uint8Array,
  field: string,
  limits: Partial<ImageSizeLimits> = {},
): Promise<ReadableImage> {
  const format = imageFormat(bytes);
  if (format === null) {
    const other = otherFormat(bytes);
    const problem = other === undefined ? 'is no image of a supported format' : `is ${other}`;
    throw unsupportedImage(field, bytes, problem);
  }
  const source: Source = { bytes, field, limits: { ...DEFAULT_SIZE_LIMITS, ...limits } };
  return await READERS[format](source);
}

/** Reads and decodes at once. Throws what `readImage` does. */
export async function decodeImage(
  bytes: Uint8Array,
  field: string,
  limits: Partial<ImageSizeLimits> = {},
): Promise<RgbImage> {
  const image = await readImage(bytes, field, limits);
  return await image.decode();
}

interface Source {
  readonly bytes: Uint8Array;
  readonly field: string;
  readonly limits: ImageSizeLimits;
}

type Reader = (source: Source) => ReadableImage | Promise<ReadableImage>;

const READERS: Readonly<Record<ImageFormat, Reader>> = {
  png: (source) => readVipsImage(source),
  jpeg: (source) => readVipsImage(source),
  heif: (source) => readVipsImage({ ...source, bytes: heifWithKnownBrand(source.bytes) }),
  gif: (source) => readFrame(source, gifFirstFrame(source.bytes)),
  webp: (source) => readFrame(source, webpFirstFrame(source.bytes)),
  tiff: readTiff,
  bmp: (source) => readBitmap(source, bmpHeader(source.bytes), bmpPixels),
  ico: readIcon,
};

async function readFrame(source: Source, frame: FirstFrame | undefined): Promise<ReadableImage> {
  if (frame === undefined) throw corruptImage(source.field, source.bytes);
  const { bytes, background, canvas } = frame;
  if (canvas !== undefined) checkSize(source.field, canvas, source.limits);
  const image = await readVipsImage({ ...source, bytes, background });
  if (canvas === undefined) return image;
  const { width, height } = canvas;
  return {
    width,
    height,
    decodeBytes: image.decodeBytes + width * height * 3,
    decode: async () => onCanvas(await image.decode(), canvas, background),
  };
}

function readTiff(source: Source): Promise<ReadableImage> {
  const kind = tiffKind(source.bytes);
  if (kind === undefined) throw corruptImage(source.field, source.bytes);
  if (typeof kind === 'string') throw unsupportedKind(source, `is a TIFF with ${kind}`);
  return readVipsImage({ ...source, ...kind });
}

function readIcon(source: Source): ReadableImage | Promise<ReadableImage> {
  const entry = icoEntry(source.bytes);
  if (entry === undefined) throw corruptImage(source.field, source.bytes);
  const inner = { ...source, bytes: entry };
  return imageFormat(entry) === 'png'
    ? readVipsImage(inner)
    : readBitmap(inner, bmpHeader(entry, true), icoBitmap);
}

function readBitmap(
  { bytes, field, limits }: Source,
  header: BmpHeader | string | undefined,
  pixels: (bytes: Uint8Array, header: BmpHeader) => RgbImage | undefined,
): ReadableImage {
  if (header === undefined) throw corruptImage(field, bytes);
  if (typeof header === 'string') throw unsupportedKind({ bytes, field }, `is a bitmap with ${header}`);
  checkSize(field, header, limits);
  const { width, height, runs } = header;
  return {
    width,
    height,
    // RGB, and before it the indices that the runs stand for.
    decodeBytes: width * height * (runs ? 4 : 3),
    decode: async () => {
      const image = pixels(bytes, header);
      if (image === undefined) throw corruptImage(field, bytes);
      return image;
    },
  };
}

function unsupportedKind({ field, bytes }: Pick<Source, 'bytes' | 'field'>, problem: string) {
  const remedy = 'This kind is not decoded here: send it as PNG or JPEG.';
  return unsupportedImage(field, bytes, problem, remedy);
}
