/**
 * Which kinds of TIFF are read, and where in a pixel their colours and their transparency are. A TIFF can say far more
 * than the decoder understands, and the decoder does not say so: what is not known to come out right is refused.
 */
import { type TiffDirectory, tiffDirectory } from './tiff-directory.ts';

/** Bands of a decoded pixel. */
export interface PixelLayout {
  /** 1 grey, 3 RGB, 4 CMYK. */
  readonly colours: 1 | 3 | 4;
  /** Index of the band that is opacity; undefined for an opaque picture. Bands that are neither are left out. */
  readonly alpha: number | undefined;
}

export interface TiffKind {
  /** Undefined where the decoder makes grey or RGB of it by itself. */
  readonly layout: PixelLayout | undefined;
  /** The file, with its first page as the only one. */
  readonly bytes: Uint8Array;
}

const PHOTOMETRIC: Readonly<Record<number, string>> = {
  4: 'a transparency mask',
  8: 'CIELAB colours',
  9: 'ICC LAB colours',
  10: 'ITU LAB colours',
  32803: 'raw data of a camera (CFA)',
  32844: 'LogL colours',
  32845: 'LogLuv colours',
  34892: 'raw data of a camera (linear)',
};
const JPEG = 7;
const YCBCR = 6;
const COLOURS: Readonly<Record<number, 1 | 3 | 4>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, [YCBCR]: 3 };
const PALETTE = 3;
const ASSOCIATED = 1;
const UNASSOCIATED = 2;

/** @returns what stands in the way of reading it, as text; undefined when the file is cut off */
export function tiffKind(bytes: Uint8Array): TiffKind | string | undefined {
  const directory = tiffDirectory(bytes);
  if (directory === undefined) return undefined;
  const refusal = refusalOf(directory);
  if (refusal !== undefined) return refusal;
  return { layout: layoutOf(directory), bytes: firstPage(bytes, directory.nextAt) };
}

function refusalOf(directory: TiffDirectory): string | undefined {
  const { bits, compression, photometric, samplesPerPixel, formats, planar, tiled, inkSet } = directory;
  const colours = COLOURS[photometric];
  const [depth = 1] = bits;
  if (colours === undefined) return PHOTOMETRIC[photometric] ?? `colours of the unknown kind ${photometric}`;
  if (formats.some((format) => format === 3)) return 'samples of floating point, which have no range';
  if (formats.some((format) => format !== 1)) return 'samples that are not unsigned whole numbers';
  if (bits.some((other) => other !== depth)) return `samples of several depths (${bits.join(', ')} bits)`;
  const small = colours === 1 && samplesPerPixel === 1 && [1, 2, 4].includes(depth);
  const deep = depth === 16 && photometric !== PALETTE && photometric !== YCBCR;
  if (depth !== 8 && !small && !deep) return `samples of ${depth} bits`;
  if (samplesPerPixel < colours) return `${samplesPerPixel} samples for ${colours} colours`;
  if (photometric === PALETTE && samplesPerPixel > 1) return 'a palette and further samples';
  if (photometric === 5 && inkSet !== 1) return 'inks other than CMYK';
  if (photometric === YCBCR && compression !== JPEG) return 'YCbCr colours that are not compressed as JPEG';
  if (photometric === YCBCR && samplesPerPixel > colours) return 'YCbCr colours and further samples';
  if (tiled && planar && samplesPerPixel > 1) return 'tiles of one colour each';
  return undefined;
}

function layoutOf({ photometric, samplesPerPixel, extraSamples }: TiffDirectory): PixelLayout | undefined {
  const colours = COLOURS[photometric] ?? 3;
  if (samplesPerPixel === colours && colours !== 4) return undefined;
  // What is not said to be something else is opacity, as in the reference.
  const extras = extraSamples.length === 0 && samplesPerPixel === colours + 1 ? [UNASSOCIATED] : extraSamples;
  const alpha = extras.findIndex((extra) => extra === ASSOCIATED || extra === UNASSOCIATED);
  return { colours, alpha: alpha === -1 ? undefined : colours + alpha };
}

/** Others are not even counted: there may be a hundred thousand, or a circle of them. */
function firstPage(bytes: Uint8Array, nextAt: number): Uint8Array {
  const end = nextAt + (bytes[2] === 43 || bytes[3] === 43 ? 8 : 4);
  if (bytes.subarray(nextAt, end).every((byte) => byte === 0)) return bytes;
  const alone = bytes.slice();
  alone.fill(0, nextAt, end);
  return alone;
}
