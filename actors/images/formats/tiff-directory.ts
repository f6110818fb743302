/**
 * The first directory of a TIFF or BigTIFF: the few fields that say how its samples are to be read. Bounded by itself:
 * it looks at a fixed number of entries and follows no directory after the first.
 *
 *     entry    tag: u16 │ type: u16 │ count: u32 (u64) │ the values, or where they are: 4 (8) bytes
 */
import { isErrorNamed } from '../../../runtime/util/realms.ts';

export interface TiffDirectory {
  readonly bits: readonly number[];
  readonly compression: number;
  readonly photometric: number;
  readonly samplesPerPixel: number;
  /** One for each sample beyond the colours: 1 associated alpha, 2 unassociated alpha, 0 anything else. */
  readonly extraSamples: readonly number[];
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly formats: readonly number[];
  readonly planar: boolean;
  readonly tiled: boolean;
  readonly inkSet: number;
  /** Of the offset of the second directory. */
  readonly nextAt: number;
}

const TAG = {
  bits: 258,
  compression: 259,
  photometric: 262,
  samplesPerPixel: 277,
  planarConfiguration: 284,
  tileWidth: 322,
  inkSet: 332,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

/** A real file has some thirty. */
const MOST_ENTRIES = 4096;
/** More samples than any picture has. */
const MOST_VALUES = 64;
const WIDTHS: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4 };

/** @returns undefined when the file is cut off or no TIFF */
export function tiffDirectory(bytes: Uint8Array): TiffDirectory | undefined {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    if (isErrorNamed(error, 'RangeError')) return undefined; // an offset beyond the end
    throw error;
  }
}

function read(view: DataView): TiffDirectory | undefined {
  const little = view.getUint8(0) === 0x49;
  const big = view.getUint16(2, little) === 43;
  const word = (at: number) => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const size = big ? 8 : 4;
  const start = word(big ? 8 : 4);
  const count = big ? word(start) : view.getUint16(start, little);
  if (count > MOST_ENTRIES) return undefined;
  const first = start + (big ? 8 : 2);
  const entryBytes = 4 + size * 2;
  const found = new Map<number, readonly number[]>();
  for (let entry = first; entry < first + count * entryBytes; entry += entryBytes) {
    const tag = view.getUint16(entry, little);
    const width = WIDTHS[view.getUint16(entry + 2, little)];
    const values = word(entry + 4);
    if (width === undefined || values > MOST_VALUES) continue;
    const inline = entry + 4 + size;
    const at = values * width <= size ? inline : word(inline);
    const value = (index: number) => {
      if (width === 1) return view.getUint8(at + index);
      return width === 2 ? view.getUint16(at + index * 2, little) : view.getUint32(at + index * 4, little);
    };
    found.set(
      tag,
      Array.from({ length: values }, (_, index) => value(index)),
    );
  }
  const one = (tag: number, absent: number) => found.get(tag)?.[0] ?? absent;
  return {
    bits: found.get(TAG.bits) ?? [1],
    compression: one(TAG.compression, 1),
    photometric: one(TAG.photometric, -1),
    samplesPerPixel: one(TAG.samplesPerPixel, 1),
    extraSamples: found.get(TAG.extraSamples) ?? [],
    formats: found.get(TAG.sampleFormat) ?? [1],
    planar: one(TAG.planarConfiguration, 1) === 2,
    tiled: found.has(TAG.tileWidth),
    inkSet: one(TAG.inkSet, 1),
    nextAt: first + count * entryBytes,
  };
}
