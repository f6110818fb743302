/**
 * The head of a Windows or OS/2 bitmap. The libraries that read bitmaps in JavaScript are no longer kept, believe what
 * the head says before they allocate, and get masks and runs wrong; the format is small enough to be read here.
 *
 *     file     ┌──────┬─────────────┬───────┬─────────┬────────┐
 *              │ 'BM' │ information │ masks │ palette │ pixels │   an icon's bitmap begins at the information
 *              └──────┴─────────────┴───────┴─────────┴────────┘
 */
import { isErrorNamed } from '../../../runtime/util/realms.ts';

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  /** Of a pixel: 1, 4, 8, 16, 24 or 32. */
  readonly bits: number;
  /** Whether indices of 8 or 4 bits come as runs. */
  readonly runs: boolean;
  /** Of red, green, blue and alpha, for 16 and 32 bits; an alpha of 0 is opaque. */
  readonly masks: readonly [number, number, number, number];
  /** Where the colours are: blue, green, red and, in entries of four bytes, nothing. */
  readonly paletteAt: number;
  readonly paletteEntryBytes: 3 | 4;
  readonly colours: number;
  readonly pixelsAt: number;
}

const FILE_HEAD = 14;
const CORE_BYTES = 12;
const INFORMATION_BYTES = 40;
const INFORMATION_SIZES = new Set([CORE_BYTES, INFORMATION_BYTES, 52, 56, 64, 108, 124]);
const OS2_BYTES = 64;
const RGB = 0;
const RUNS_OF_8 = 1;
const RUNS_OF_4 = 2;
const FIELDS = 3;
const ALPHA_FIELDS = 6;
const COMPRESSIONS: Readonly<Record<number, string>> = { 4: 'a JPEG image inside', 5: 'a PNG image inside' };
const DEFAULT_MASKS: Readonly<Record<number, BmpHeader['masks']>> = {
  16: [0x7c00, 0x3e0, 0x1f, 0],
  32: [0xff0000, 0xff00, 0xff, 0],
};

/**
 * @param icon the bytes begin at the information, and the height counts a mask too
 * @returns what stands in the way of reading it, as text; undefined when the head is cut off or makes no sense
 */
export function bmpHeader(bytes: Uint8Array, icon = false): BmpHeader | string | undefined {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), icon);
  } catch (error) {
    if (isErrorNamed(error, 'RangeError')) return undefined; // the head is cut off
    throw error;
  }
}

function read(view: DataView, icon: boolean): BmpHeader | string | undefined {
  const start = icon ? 0 : FILE_HEAD;
  const size = view.getUint32(start, true);
  if (!INFORMATION_SIZES.has(size)) return undefined;
  const core = size === CORE_BYTES;
  const width = core ? view.getUint16(start + 4, true) : view.getInt32(start + 4, true);
  const signed = core ? view.getUint16(start + 6, true) : view.getInt32(start + 8, true);
  const height = icon ? Math.floor(Math.abs(signed) / 2) : Math.abs(signed);
  if (width < 1 || height < 1) return undefined;
  const bits = view.getUint16(start + (core ? 10 : 14), true);
  const compression = core ? RGB : view.getUint32(start + 16, true);
  const refusal = refusalOf(bits, compression, size);
  if (refusal !== undefined) return refusal;

  const fields = compression === FIELDS || compression === ALPHA_FIELDS;
  const masksBehind = fields && size === INFORMATION_BYTES ? (compression === ALPHA_FIELDS ? 16 : 12) : 0;
  const hasAlpha = size >= 56 || compression === ALPHA_FIELDS;
  const mask = (index: number) => view.getUint32(start + INFORMATION_BYTES + index * 4, true);
  const masks = fields ? ([mask(0), mask(1), mask(2), hasAlpha ? mask(3) : 0] as const) : DEFAULT_MASKS[bits];
  const paletteAt = start + size + masksBehind;
  const paletteEntryBytes = core ? 3 : 4;
  const colours = bits > 8 ? 0 : (core ? 0 : view.getUint32(start + 32, true)) || 1 << bits;
  if (colours > 256) return undefined;
  return {
    ...{ width, height, topDown: signed < 0, bits, paletteAt, paletteEntryBytes, colours },
    runs: compression === RUNS_OF_8 || compression === RUNS_OF_4,
    masks: masks ?? [0, 0, 0, 0],
    pixelsAt: icon ? paletteAt + colours * paletteEntryBytes : view.getUint32(10, true),
  };
}

function refusalOf(bits: number, compression: number, size: number): string | undefined {
  const inside = COMPRESSIONS[compression];
  if (inside !== undefined && size !== OS2_BYTES) return inside;
  const depths: Readonly<Record<number, readonly number[]>> = {
    [RGB]: [1, 4, 8, 16, 24, 32],
    [RUNS_OF_8]: [8],
    [RUNS_OF_4]: [4],
    [FIELDS]: size === OS2_BYTES ? [] : [16, 32],
    [ALPHA_FIELDS]: [16, 32],
  };
  const known = depths[compression];
  if (known === undefined) return `the compression ${compression}`;
  return known.includes(bits) ? undefined : `${bits} bits a pixel in the compression ${compression}`;
}
