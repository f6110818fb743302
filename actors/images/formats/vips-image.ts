/** Images that libvips decodes, by way of sharp. It is told what is in the file, and never asked to guess. */
import { types } from 'node:util';
import sharp, { type Metadata, type SharpOptions } from 'sharp';
import { InputError } from '../../errors.ts';
import type { ReadableImage } from '../image-decode.ts';
import { checkSize, corruptImage, type ImageSizeLimits, unsupportedImage } from '../image-errors.ts';
import type { RgbImage } from '../resize.ts';
import { bandsToRgb, greyToRgb, rgbaOn } from '../to-rgb.ts';
import type { PixelLayout } from './tiff-kind.ts';
import { vipsDecodeBytes } from './vips-memory.ts';

export interface VipsSource {
  readonly bytes: Uint8Array;
  readonly field: string;
  readonly limits: ImageSizeLimits;
  /** What shows where there are no pixels. Default white. */
  readonly background?: readonly [number, number, number];
  /** Of pixels that the decoder must not interpret itself. */
  readonly layout?: PixelLayout | undefined;
}

/** Errors in the data abort, harmless oddities (stray bytes between markers) do not; profiles are not applied. */
const INPUT: SharpOptions = {
  failOn: 'error',
  ignoreIcc: true,
  limitInputPixels: false,
  limitInputChannels: false,
};

/** A picture is decoded once: what libvips would keep of it for a second time is only memory. */
sharp.cache(false);

/** @throws InputError IMAGE_CORRUPT, IMAGE_TOO_LARGE_PIXELS, IMAGE_FORMAT_UNSUPPORTED */
export async function readVipsImage(source: VipsSource): Promise<ReadableImage> {
  const { bytes, field, limits } = source;
  const metadata = await sharp(bytes, INPUT)
    .metadata()
    .catch((cause: unknown) => {
      throw corruptImage(field, bytes, cause);
    });
  checkSize(field, metadata, limits);
  const { width, height } = metadata.autoOrient;
  return {
    width,
    height,
    decodeBytes: vipsDecodeBytes(metadata),
    decode: async () => {
      try {
        const image = await decode(source, metadata);
        if (image.width === width && image.height === height) return image;
        throw corruptImage(field, bytes);
      } catch (cause) {
        if (cause instanceof InputError) throw cause;
        throw undecodable(source, metadata, cause);
      }
    },
  };
}

/** A codec that is not built in fails like a broken file does. */
function undecodable({ bytes, field }: VipsSource, { format, compression }: Metadata, cause: unknown) {
  if (format !== 'heif' || compression === 'av1') return corruptImage(field, bytes, cause);
  const coded = compression === undefined ? 'an unknown codec' : compression.toUpperCase();
  const name = compression === 'hevc' ? 'HEIC' : 'HEIF';
  return unsupportedImage(
    field,
    bytes,
    `is a ${name} image (${coded}), which is not decoded here`,
    'Send it as JPEG, PNG or AVIF.',
  );
}

async function decode({ bytes, background, layout }: VipsSource, metadata: Metadata): Promise<RgbImage> {
  const { width, height, space, depth } = metadata;
  // The conversion of the reference from CMYK is simpler than a colour-managed one, so CMYK is taken as it is.
  const bands = layout ?? (space === 'cmyk' ? ({ colours: 4, alpha: undefined } as const) : undefined);
  const kept = bands === undefined ? undefined : keptSpace(space, bands);
  const deep = bands !== undefined && (depth === 'ushort' || kept === 'grey16');
  const image = sharp(bytes, { ...INPUT, limitInputPixels: width * height });
  const converted =
    kept === undefined
      ? image.toColourspace('srgb')
      : image.pipelineColourspace(space ?? kept).toColourspace(kept);
  const { data, info } = await converted
    .autoOrient()
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const plain = deep
    ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, data: toRgb(plain, info.channels, bands, background) };
}

/** In place where possible: the pixels of a photograph are held once. */
function toRgb(
  data: Uint8Array | Uint16Array,
  channels: number,
  bands: PixelLayout | undefined,
  background: VipsSource['background'],
): Uint8Array {
  if (bands !== undefined || types.isUint16Array(data)) {
    return bandsToRgb(data, channels, bands ?? { colours: 3, alpha: undefined });
  }
  if (channels === 3) return data;
  return channels < 3 ? greyToRgb(data, channels) : rgbaOn(data, background);
}

/** Bands come out as they went in when the space does not change; grey of 8 bits would lose all bands but the first. */
function keptSpace(space: string | undefined, { alpha }: PixelLayout): string {
  return space === 'b-w' && alpha !== undefined ? 'grey16' : (space ?? 'srgb');
}
